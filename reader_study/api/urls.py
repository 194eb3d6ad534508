"""Studies, readings, answers and results for programs."""

from rest_framework.routers import SimpleRouter

from reader_study.api import readings, results, studies

router = SimpleRouter()
router.register("studies", studies.StudyViewSet, basename="api-study")
router.register("study-results", results.StudyResultViewSet, basename="api-study-result")
router.register("readings", readings.ReadingViewSet, basename="api-reading")
router.register("answers", readings.AnswerViewSet, basename="api-answer")
router.register("answer-changes", readings.AnswerChangeViewSet, basename="api-answer-change")

urlpatterns = [*router.urls]
