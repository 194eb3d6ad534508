"""Making a study, reading it, its results."""

from django.urls import include, path

urlpatterns = [
    path("studies/", include("reader_study.urls.studies")),
    path("studies/", include("reader_study.urls.results")),
    path("reading/", include("reader_study.urls.reading")),
]
