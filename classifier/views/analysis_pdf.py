"""An analysis to print or to keep: the report as PDF, the three panels as PNG, all of it as DICOM."""

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from classifier.models import Analysis, Explanation
from classifier.plots.colormaps import COLORMAPS, OPACITY
from classifier.presenters import dicom_files, explanations
from classifier.presenters.analysis_files import Drawn, panels_png, report_of, report_pdf
from classifier.presenters.differential import ResultView
from classifier.presenters.hidden_answers import impression_first
from classifier.presenters.result import answer_view, chosen_thresholds, member_of
from classifier.services.analysis import assessments
from classifier.views.result import ANALYSES
from skinclinic.permissions import get_for
from skinclinic.vocabulary.diseases import BY_KEY
from skinclinic.web.photo_lost import photo_needed
from skinclinic.web.requests import SignedInRequest, json_error


@never_cache
@require_safe
def analysis_panels(request: SignedInRequest, pk: int) -> HttpResponse:
    """Photo, overlay and heatmap alone, side by side, for ``?disease=`` (the first listed) in ``?colours=``."""
    found = _answered(request, pk)
    if isinstance(found, HttpResponse):
        return found
    drawn = _drawn(request, found, answer_view(found, _thresholds(request, found)))
    method = f"-{drawn.explanation.method}" if drawn.explanation else ""
    name = f"photo-{found.photo_id}-{drawn.disease}{method}.png"
    with photo_needed():
        content = panels_png(found, drawn)
    return _download(content, "image/png", name, "attachment")


@never_cache
@require_safe
def analysis_report(request: SignedInRequest, pk: int) -> HttpResponse:
    """The report, for the heatmap of ``?disease=`` (the first listed, else the likeliest)."""
    found = _answered(request, pk)
    if isinstance(found, HttpResponse):
        return found
    view = answer_view(found, _thresholds(request, found))
    drawn = _drawn(request, found, view)
    with photo_needed():
        report = report_of(request.user, found, view, drawn)
    content = report_pdf(report)
    return _download(content, "application/pdf", f"report-{found.pk}.pdf", "inline")


@never_cache
@require_safe
def analysis_dicom(request: SignedInRequest, pk: int) -> HttpResponse:
    """The photo, its heatmaps and the scores as DICOM objects, in a ZIP."""
    found = _answered(request, pk)
    if isinstance(found, HttpResponse):
        return found
    with photo_needed():
        content = dicom_files.zipped(dicom_files.of_analysis(found))
    return _download(content, "application/zip", f"analysis-{found.pk}-dicom.zip", "attachment")


def _answered(request: SignedInRequest, pk: int) -> Analysis | HttpResponse:
    """The analysis, if it is finished and its answer may be seen; else the refusal."""
    found = get_for(request.user, ANALYSES, pk)
    if not assessments.may_see_answer(request.user, member_of(request, found), found):
        return json_error(409, "impression_first", impression_first())
    if not found.is_done:
        return json_error(409, "not_analysed", _("This photo is not analysed yet."))
    return found


def _thresholds(request: SignedInRequest, found: Analysis):
    return chosen_thresholds(request, found.model_version.thresholds_for(found.clinic_id))


def _drawn(request: HttpRequest, found: Analysis, view: ResultView) -> Drawn:
    key = _disease(request, found, view)
    return Drawn(key, _colours(request), _opacity(request), _explanation(request, found))


def _disease(request: HttpRequest, found: Analysis, view: ResultView) -> str:
    key = request.GET.get("disease") or view.rows[0].disease.key
    if key not in BY_KEY:
        raise Http404
    return key


def _colours(request: HttpRequest) -> str:
    wanted = request.GET.get("colours", "cividis")
    return wanted if wanted in COLORMAPS else "cividis"


def _opacity(request: HttpRequest) -> float:
    """How much of the heatmap was over the photo on the screen, ``?opacity=`` in percent."""
    wanted = request.GET.get("opacity", "")
    return (
        min(int(wanted), 100) / 100 if wanted.isascii() and wanted.isdigit() and len(wanted) < 4 else OPACITY
    )


def _explanation(request: HttpRequest, found: Analysis) -> Explanation | None:
    """The explanation whose heatmaps are shown, ``?explanation=``; None for Grad-CAM. Raises Http404."""
    wanted = request.GET.get("explanation")
    row = explanations.chosen(found, wanted)
    if wanted and row is None:
        raise Http404
    return row


def _download(content: bytes, content_type: str, name: str, how: str) -> HttpResponse:
    return HttpResponse(
        content,
        content_type=content_type,
        headers={"Content-Disposition": f'{how}; filename="{name}"', "X-Content-Type-Options": "nosniff"},
    )
