"""Studies, readings, answers and results for programs."""

from rest_framework.routers import SimpleRouter

from reader_study.api import results

router = SimpleRouter()
router.register("study-results", results.StudyResultViewSet, basename="api-study-result")

urlpatterns = router.urls
