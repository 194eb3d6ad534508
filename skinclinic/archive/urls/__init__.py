"""The archive's addresses."""

from django.urls import include, path

urlpatterns = [
    path("", include("skinclinic.archive.urls.curating")),
    path("imports/", include("skinclinic.archive.urls.imports")),
    path("duplicates/", include("skinclinic.archive.urls.duplicates")),
    path("datasets/", include("skinclinic.archive.urls.datasets")),
]
