"""Making and running a study."""

from django.urls import path

from reader_study.views import (
    designs,
    documents,
    paper,
    precision,
    readers,
    reference,
    sample,
    settings,
    studies,
)

urlpatterns = [
    path("", studies.listing, name="studies"),
    path("new/", studies.new, name="study-new"),
    path("<int:pk>/", studies.page, name="study"),
    path("<int:pk>/act/", studies.act, name="study-act"),
    path("<int:pk>/preview/", studies.preview, name="study-preview"),
    path("<int:pk>/protocol/", studies.protocol_file, name="study-protocol"),
    path("<int:pk>/log/", studies.log, name="study-log"),
    path("<int:pk>/settings/", settings.settings, name="study-settings"),
    path("<int:pk>/design/", designs.design, name="study-design"),
    path("<int:pk>/design/meaning/", designs.meaning, name="study-design-meaning"),
    path("<int:pk>/amend/", settings.amend, name="study-amend"),
    path("<int:pk>/sample/", sample.sample, name="study-sample"),
    path("<int:pk>/sample/photos/", sample.sample_act, name="study-sample-act"),
    path("<int:pk>/reference/", reference.page, name="study-reference"),
    path("<int:pk>/reference/votes/", reference.votes, name="study-votes"),
    path("<int:pk>/documents/", documents.page, name="study-documents"),
    path("<int:pk>/documents/protocol.pdf", documents.protocol_pdf, name="study-protocol-pdf"),
    path("<int:pk>/documents/checklist.<str:kind>", documents.checklist, name="study-checklist"),
    path("<int:pk>/precision/", precision.panel, name="study-precision"),
    path("<int:pk>/precision/intervals/", precision.intervals, name="study-intervals"),
    path("<int:pk>/readers/", readers.listing, name="study-readers"),
    path("<int:pk>/readers/progress/", readers.progress_table, name="study-progress"),
    path("<int:pk>/readers/deadline/", readers.deadline, name="study-deadline"),
    path("<int:pk>/readers/remind/", readers.remind_all, name="study-remind"),
    path("<int:pk>/readers/<int:reader>/", readers.act, name="study-reader"),
    path("<int:pk>/paper/", paper.paper, name="study-paper"),
    path("<int:pk>/paper/pdf/", paper.pdf, name="study-paper-pdf"),
    path("<int:pk>/paper/sheet/", paper.sheet, name="study-paper-sheet"),
    path("<int:pk>/paper/answers/", paper.answers, name="study-paper-answers"),
]
