"""The results of a study."""

from django.urls import path

from reader_study.views import replays, result_files, result_parts, result_plan, results

urlpatterns = [
    path("replay/", replays.new, name="study-replay"),
    path("<int:pk>/results/", results.overview, name="study-results"),
    path("<int:pk>/results/act/", results.act, name="study-results-act"),
    path("<int:pk>/results/diseases/", result_parts.disease, name="study-results-disease"),
    path("<int:pk>/results/readers/", result_parts.readers, name="study-results-readers"),
    path("<int:pk>/results/model/", result_parts.model, name="study-results-model"),
    path("<int:pk>/results/sessions/", result_parts.sessions, name="study-results-sessions"),
    path("<int:pk>/results/agreement/", result_parts.agreement, name="study-results-agreement"),
    path("<int:pk>/results/missed/", result_parts.missed, name="study-results-missed"),
    path("<int:pk>/results/plan/", result_plan.plan, name="study-results-plan"),
    path("<int:pk>/results/methods/", result_parts.methods, name="study-results-methods"),
    path("<int:pk>/results/panels/", result_parts.panels, name="study-results-panels"),
    path("<int:pk>/results/figure/", result_files.figure, name="study-results-figure"),
    path("<int:pk>/results/download/", result_files.download, name="study-results-download"),
    path("<int:pk>/results/heatmap/", result_files.heatmap, name="study-results-heatmap"),
]
