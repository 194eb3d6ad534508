"""Studies, readings, answers and results for programs."""

from rest_framework.routers import DefaultRouter

from reader_study.api import studies

router = DefaultRouter()
router.include_format_suffixes = False
router.include_root_view = False
router.register("studies", studies.StudyViewSet, basename="api-study")

urlpatterns: list = [
    *router.urls,
]
