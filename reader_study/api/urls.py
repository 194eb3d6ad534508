"""Studies, readings, answers and results for programs."""

from rest_framework.routers import SimpleRouter

from reader_study.api import results, studies

router = SimpleRouter()
router.register("studies", studies.StudyViewSet, basename="api-study")
router.register("study-results", results.StudyResultViewSet, basename="api-study-result")

urlpatterns: list = [
    *router.urls,
]
