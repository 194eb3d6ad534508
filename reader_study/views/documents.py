"""Documents of a study: its protocol, the checklists of reporting guidelines, the flow of photos and readers."""

from django.conf import settings
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.utils.text import slugify
from django.views.decorators.http import require_safe

from classifier.services.evaluation.figure_files import DRAWN, figure_file
from reader_study.checklists import CHECKLISTS, NAMES
from reader_study.models import Study
from reader_study.presenters import asked, words
from reader_study.services.making import documents
from reader_study.services.making.told import told
from reader_study.views.common import access_of, frame
from skinclinic.web.requests import SignedInRequest

TYPES = {
    "pdf": "application/pdf",
    "csv": "text/csv; charset=utf-8",
    "svg": "image/svg+xml",
    "png": "image/png",
}


@require_safe
def page(request: SignedInRequest, pk: int) -> HttpResponse:
    """What can be had as a file, what is missing in the checklists, and the flow; or that as a file (``as``)."""
    access = access_of(request, pk)
    access.require_photos()
    study = access.study
    figure = documents.flow_figure(study, words.reasons())
    kind = request.GET.get("as", "")
    if kind in (*DRAWN, "csv"):
        return _sent(study, f"flow.{kind}", figure_file(figure, kind), kind)
    chosen = request.GET.get("list", "")
    chosen = chosen if chosen in CHECKLISTS else next(iter(CHECKLISTS))
    known = told(study)
    context = frame(request, study, "documents") | {
        "figure": figure,
        "chosen": chosen,
        "rows": documents.checklist(study, chosen, known),
        "lists": [
            (key, name, len(documents.missing(study, key, known)), len(CHECKLISTS[key]))
            for key, name in NAMES.items()
        ],
        "languages": settings.LANGUAGES,
    }
    return render(request, "studies/documents.html", context)


@require_safe
def protocol_pdf(request: SignedInRequest, pk: int) -> HttpResponse:
    """The protocol with the plan of analysis, in the language asked for."""
    access = access_of(request, pk)
    access.require_photos()
    with translation.override(_language(request)):
        content = documents.protocol_pdf(access.study, words.reasons(), list(asked.besides(access.study)))
    return _sent(access.study, "protocol.pdf", content, "pdf")


@require_safe
def checklist(request: SignedInRequest, pk: int, kind: str) -> HttpResponse:
    """A checklist as PDF or CSV."""
    access = access_of(request, pk)
    access.require_photos()
    chosen = request.GET.get("list", next(iter(CHECKLISTS)))
    made = {"pdf": documents.checklist_pdf, "csv": documents.checklist_csv}.get(kind)
    if made is None or chosen not in CHECKLISTS:
        raise Http404
    with translation.override(_language(request)):
        content = made(access.study, chosen)
    return _sent(access.study, f"{chosen}.{kind}", content, kind)


def _language(request: SignedInRequest) -> str:
    asked = request.GET.get("language", "")
    return (
        asked if asked in dict(settings.LANGUAGES) else translation.get_language() or settings.LANGUAGE_CODE
    )


def _sent(study: Study, name: str, content: bytes, kind: str) -> HttpResponse:
    response = HttpResponse(content, content_type=TYPES[kind])
    stem = slugify(study.name) or "study"
    response["Content-Disposition"] = f'attachment; filename="{stem}-{study.pk}-{name}"'
    return response
