"""The FHIR server's addresses, below ``/api/v1/fhir/``; as FHIR has it, none ends with a slash."""

from django.urls import path

from classifier.api.fhir import kinds, views
from classifier.api.fhir.answering import NothingHere
from classifier.api.fhir.matching import Match
from classifier.api.fhir.observations import ObservationSearch

_SEARCHES = [
    path(name, views.Search.as_view(kind=kind), name=f"api-fhir-{name.lower()}")
    for name, kind in kinds.SEARCHED.items()
]
_READS = [
    path(f"{name}/<int:pk>", views.Read.as_view(kind=kind), name=f"api-fhir-{name.lower()}-read")
    for name, kind in kinds.SEARCHED.items()
]
urlpatterns = [
    path("", NothingHere.as_view(), name="api-fhir-root"),
    path("metadata", views.Metadata.as_view(), name="api-fhir-metadata"),
    path("CodeSystem/skinclinic", views.Codes.as_view(), name="api-fhir-codesystem"),
    path(
        "OperationDefinition/BodyStructure-everything", views.Operation.as_view(), name="api-fhir-operation"
    ),
    *_SEARCHES,
    *_READS,
    path("Patient/$match", Match.as_view(), name="api-fhir-match"),
    path("BodyStructure/<int:pk>/$everything", views.Everything.as_view(), name="api-fhir-everything"),
    path("Observation", ObservationSearch.as_view(), name="api-fhir-observation"),
    path("Observation/pathology-<int:pk>", views.Pathology.as_view(), name="api-fhir-pathology-read"),
    path("Observation/answer-<int:pk>-<str:disease>", views.Score.as_view(), name="api-fhir-score-read"),
    path("Binary/photo-<int:pk>", views.PhotoFile.as_view(), name="api-fhir-photo-file"),
    path("Binary/heatmap-<int:pk>-<str:disease>", views.HeatmapFile.as_view(), name="api-fhir-heatmap-file"),
    path("Binary/report-<int:pk>", views.ReportFile.as_view(), name="api-fhir-report-file"),
    path("<path:rest>", NothingHere.as_view(), name="api-fhir-nothing"),
]
