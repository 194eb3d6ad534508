"""Upload, results, trying a photo, and models."""

from django.urls import path

from classifier.views import assessment, maps, result

urlpatterns = [
    path("photos/<int:pk>/", result.photo, name="photo"),
    path("photos/<int:pk>/retry/", result.retry, name="photo-retry"),
    path("analyses/<int:pk>/", result.analysis, name="analysis"),
    path("analyses/<int:pk>/maps", maps.analysis_maps, name="analysis-maps"),
    path("analyses/<int:pk>/impression/", assessment.impression, name="analysis-impression"),
    path("analyses/<int:pk>/decision/", assessment.decision, name="analysis-decision"),
]
