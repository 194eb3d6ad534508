"""Upload, results, trying a photo, and models."""

urlpatterns = []
