"""The classifier's part of /api/."""

from django.urls import include, path
from rest_framework.routers import SimpleRouter

from classifier.api import analyses, explanations, model_exports, models, shadows, trials
from classifier.api.fhir.answering import NothingHere

router = SimpleRouter()
router.register("photos", analyses.PhotoViewSet, basename="api-photo")
router.register("analyses", analyses.AnalysisViewSet, basename="api-analysis")
router.register("explanations", explanations.ExplanationViewSet, basename="api-explanation")
router.register("assessments", analyses.AssessmentViewSet, basename="api-assessment")
router.register("models", models.ModelViewSet, basename="api-model")
router.register("model-exports", model_exports.ModelExportViewSet, basename="api-model-export")
router.register("shadows", shadows.ShadowViewSet, basename="api-shadow")
router.register("publications", models.PublicationViewSet, basename="api-publication")

urlpatterns = [
    path("try/", trials.TryView.as_view(), name="api-try"),
    path("try/<str:token>/", trials.TryResultView.as_view(), name="api-try-result"),
    path("fhir", NothingHere.as_view(), name="api-fhir-base"),
    path("fhir/", include("classifier.api.fhir.urls")),
    *router.urls,
]
