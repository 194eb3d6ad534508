"""Making and running a study."""

from django.urls import path

from reader_study.views import studies

urlpatterns = [
    path("", studies.listing, name="studies"),
    path("<int:pk>/", studies.page, name="study"),
]
