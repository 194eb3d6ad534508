"""The classifier's part of /api/."""

from rest_framework.routers import SimpleRouter

from classifier.api import analyses, models

router = SimpleRouter()
router.register("photos", analyses.PhotoViewSet, basename="api-photo")
router.register("analyses", analyses.AnalysisViewSet, basename="api-analysis")
router.register("assessments", analyses.AssessmentViewSet, basename="api-assessment")
router.register("models", models.ModelViewSet, basename="api-model")
router.register("publications", models.PublicationViewSet, basename="api-publication")

urlpatterns = router.urls
