"""Studies, readings, answers and results for programs."""

from rest_framework.routers import SimpleRouter

from reader_study.api import studies

router = SimpleRouter()
router.register("studies", studies.StudyViewSet, basename="api-study")

urlpatterns: list = [
    *router.urls,
]
