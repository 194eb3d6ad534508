"""An analysis to print or to keep: the report as PDF, the three panels as PNG."""

import io

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from PIL import ImageDraw

from classifier.models import Analysis, Explanation
from classifier.plots.analysis_pdf import Report, ScoreLine, build_pdf
from classifier.plots.colormaps import COLORMAPS, OPACITY, heatmap_rgb, overlay, three_panels
from classifier.presenters import computed, explanations
from classifier.presenters.decisions import in_words, told
from classifier.presenters.differential import ResultView, ThresholdFacts
from classifier.presenters.maps import caption
from classifier.presenters.result import answer_view, chosen_thresholds, member_of
from classifier.services.analysis import assessments
from classifier.services.evaluation.figure_files import FONT_FILE
from classifier.services.models.card import validated_on
from classifier.views.result import ANALYSES
from skinclinic import imaging
from skinclinic.files import store
from skinclinic.models import Diagnosis
from skinclinic.permissions import get_for
from skinclinic.presenters import visit
from skinclinic.services import visit_records, visits
from skinclinic.templatetags.ui import TIERS
from skinclinic.vocabulary import asked
from skinclinic.vocabulary.diseases import BY_KEY, DISEASE_KEYS
from skinclinic.web.requests import SignedInRequest, json_error

WARNING_WORDS = {
    "too_dark": gettext_lazy("very dark"),
    "too_bright": gettext_lazy("overexposed"),
    "blurred": gettext_lazy("blurred"),
    "too_small": gettext_lazy("few pixels"),
    "little_skin": gettext_lazy("little skin"),
}
SET_ASIDE_WORDS = {
    "overview": gettext_lazy("An overview: the model knows close-ups only. Nothing is listed."),
    "dermoscopic": gettext_lazy(
        "A dermoscopic photo: the model knows clinical close-ups only. Nothing is listed."
    ),
    "unfit": gettext_lazy("There is nothing to judge on this photo. Nothing is listed."),
}


@never_cache
@require_safe
def analysis_panels(request: SignedInRequest, pk: int) -> HttpResponse:
    """Photo, overlay and heatmap alone, side by side, for ``?disease=`` (the first listed) in ``?colours=``."""
    found = _answered(request, pk)
    if isinstance(found, HttpResponse):
        return found
    key = _disease(request, found, answer_view(found, _thresholds(request, found)))
    explanation = _explanation(request, found)
    square = imaging.crop(imaging.open_rgb(store.read(found.photo.file_key)), found.box)
    out = io.BytesIO()
    panels = three_panels(
        square,
        _heatmap(explanation or found, key),
        opacity=_opacity(request),
        colormap=_colours(request),
        caption=_caption(found, key, explanation),
    )
    panels.save(out, "PNG")
    method = f"-{explanation.method}" if explanation else ""
    return _download(out.getvalue(), "image/png", f"photo-{found.photo_id}-{key}{method}.png", "attachment")


@never_cache
@require_safe
def analysis_report(request: SignedInRequest, pk: int) -> HttpResponse:
    """The report, for the heatmap of ``?disease=`` (the first listed, else the likeliest)."""
    found = _answered(request, pk)
    if isinstance(found, HttpResponse):
        return found
    view = answer_view(found, _thresholds(request, found))
    key = _disease(request, found, view)
    report = _report(request, found, view, key, _colours(request), _opacity(request))
    return _download(build_pdf(report, FONT_FILE), "application/pdf", f"report-{found.pk}.pdf", "inline")


def _answered(request: SignedInRequest, pk: int) -> Analysis | HttpResponse:
    """The analysis, if it is finished and its answer may be seen; else the refusal."""
    found = get_for(request.user, ANALYSES, pk)
    if not assessments.may_see_answer(request.user, member_of(request, found), found):
        message = _("Record your own impression first, or choose to see the answer without one.")
        return json_error(409, "impression_first", message)
    if not found.is_done:
        return json_error(409, "not_analysed", _("This photo is not analysed yet."))
    return found


def _thresholds(request: SignedInRequest, found: Analysis):
    return chosen_thresholds(request, found.model_version.thresholds_for(found.clinic_id))


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


def _caption(found: Analysis, key: str, explanation: Explanation | None = None) -> list[str]:
    version = found.model_version
    first, *others = caption(key, version.name + (_(" (demo model)") if version.is_demo else ""))
    return [f"{first} · {_method(found, explanation)}", *others]


def _method(found: Analysis, explanation: Explanation | None) -> str:
    return explanations.in_words(explanation) if explanation else explanations.own_in_words(found)


def _heatmap(found: Analysis | Explanation, key: str):
    return found.heatmaps()[DISEASE_KEYS.index(key)].astype("float32")


def _download(content: bytes, content_type: str, name: str, how: str) -> HttpResponse:
    return HttpResponse(
        content,
        content_type=content_type,
        headers={"Content-Disposition": f'{how}; filename="{name}"', "X-Content-Type-Options": "nosniff"},
    )


def _report(
    request: SignedInRequest, found: Analysis, view: ResultView, key: str, colours: str, opacity: float
) -> Report:
    photo = imaging.open_rgb(store.read(found.photo.file_key))
    square = imaging.crop(photo, found.box)
    explanation = _explanation(request, found)
    heatmap = _heatmap(explanation or found, key)
    name = BY_KEY[key].name(get_language() or "en")
    thresholds = view.thresholds
    return Report(
        title=_("Analysis of a skin photo"),
        subtitle=f"{found.clinic.name} · {_when(found.analysed_at)}",
        photo=_with_square(photo, found.box),
        panels=[
            (_("Photo"), square),
            (_("Overlay") + f": {name}", overlay(square, heatmap, opacity, colours)),
            (_("Heatmap alone") + f": {name}", heatmap_rgb(heatmap, square.width, colours)),
        ],
        facts=_facts(request, found, explanation),
        notices=_notices(found, view),
        score_head=(_("Disease"), _("Group"), _("Score"), _("Threshold")),
        scores=[
            ScoreLine(
                row.name, str(TIERS[row.disease.tier][1]), row.score_text, row.threshold_text, row.listed
            )
            for row in view.rows
        ],
        score_note=_("● listed: the score exceeds its threshold. All malignant together: %(sum)s.")
        % {"sum": view.malignant_text},
        caption=" · ".join(_caption(found, key, explanation)),
        records=_records(request, found),
        model_title=_("About the model"),
        model_facts=[
            (
                _("Model"),
                found.model_version.name + (_(" (demo model)") if found.model_version.is_demo else ""),
            ),
            (_("Trained on"), found.model_version.manifest.get("trained_on", "")),
            (_("Validated on"), validated_on(found.model_version.manifest)),
            (
                _("Thresholds"),
                _thresholds_in_words(thresholds) if thresholds else "–",
            ),
            (_("Weights"), found.model_version.weights_sha256),
        ],
        disclaimer=_(
            "It does not diagnose: scores say how much a photo looks like what the model was trained on. "
            "The decision is yours."
        ),
        footer=_("SkinClinic · %(model)s · printed %(when)s")
        % {"model": found.model_version.name, "when": _when(timezone.now())},
        page_word=_("Page"),
    )


def _thresholds_in_words(facts: ThresholdFacts) -> str:
    said = f"{facts.name}: {facts.purpose}. {facts.cohort}"
    return f"{said}. {facts.promise.whole}" if facts.promise else said


def _with_square(photo, box):
    """The photo with the analysed square drawn on it, white within black so that it shows on any skin."""
    drawn = photo.copy()
    width = max(2, min(photo.size) // 150)
    corners = (box.x, box.y, box.x + box.size - 1, box.y + box.size - 1)
    pen = ImageDraw.Draw(drawn)
    pen.rectangle(corners, outline="black", width=2 * width)
    pen.rectangle(corners, outline="white", width=width)
    return drawn


def _facts(
    request: SignedInRequest, found: Analysis, explanation: Explanation | None
) -> list[tuple[str, str]]:
    photo, lesion = found.photo, found.photo.lesion
    patient = lesion.patient
    facts = [(_("Patient"), patient.code if patient else _("not filed yet"))]
    if patient:
        facts += [
            (_("Birth year"), str(patient.birth_year or "–")),
            (_("Sex"), patient.get_sex_display() or "–"),
            (_("Fitzpatrick skin type"), patient.get_skin_type_display() or "–"),
        ]
    facts += [
        (_("Site"), lesion.get_site_display() or "–"),
        (_("Kind of photo"), photo.get_kind_display()),
        (_("Taken"), _when(photo.captured_at) if photo.captured_at else "–"),
        (_("Analysed"), _when(found.analysed_at)),
        (_("Computed with"), computed.in_words(found.runtime, found.precision)),
        *_of_heatmap(found, explanation),
        (_("Report for"), str(request.user)),
    ]
    if photo.is_synthetic:
        facts.append((_("Note"), _("Synthetic photo: drawn by a computer, no patient")))
    return facts


def _of_heatmap(found: Analysis, explanation: Explanation | None) -> list[tuple[str, str]]:
    """Whose heatmap is printed, where it is not the one that came with the scores."""
    if explanation is None:
        return []
    said = f"{_method(found, explanation)}; {explanations.provenance(explanation)}"
    return [(_("Heatmap"), said)]


def _notices(found: Analysis, view: ResultView) -> list[str]:
    notices = [str(SET_ASIDE_WORDS[view.set_aside])] if view.set_aside else []
    if found.before_cover:
        notices.append(
            _("This answer is of the photo before it was covered: part of its square is hidden now.")
        )
    if view.background_is_large:
        notices.append(_("Probably not among these 12 (%(share)s %%).") % {"share": view.background_percent})
    if view.warnings:
        notices.append(
            _("This photo may be unfit:") + " " + ", ".join(str(WARNING_WORDS[w]) for w in view.warnings)
        )
    if view.verdict and not view.listed and not view.set_aside:
        notices.append(view.verdict)
    return notices


def _records(request: SignedInRequest, found: Analysis) -> list[tuple[str, str]]:
    """The reader's own impression and decision, what the patient says of the lesion, the pathology if there is one."""
    rows, records = assessments.of_photo(request.user, found.photo), []
    own = next((row for row in rows if row.analysis == found), None)
    if own and own.impression:
        also = own.impression.also_said
        records.append((_("Own impression"), in_words(own.impression) + (f"; {also}" if also else "")))
    if own and own.decision:
        records.append((_("Decision"), f"{told(own)}. {own.comment}" if own.comment else told(own)))
    for before in (row for row in rows if row.decision and row.analysis != found):
        when = {"date": _when(before.decided_at), "model": before.analysis.model_version.name}
        records.append((_("Decided on %(date)s on the answer of %(model)s") % when, told(before)))
    day = visits.day_of(found.photo.captured_at, found.photo.created_at)
    symptoms = visit_records.symptoms_of(found.photo.lesion, day)
    if symptoms.pk:
        said = visit.in_words(visit.questions(symptoms, asked.SYMPTOMS), symptoms.since)
        records.append((_("Symptoms"), said))
    proof = found.photo.lesion.diagnoses.filter(kind=Diagnosis.Kind.PATHOLOGY, withdrawn_at=None).first()
    if proof:
        records.append((_("Pathology"), f"{in_words(proof)} ({proof.get_confirmed_by_display()})"))
    return records


def _when(moment) -> str:
    return date_format(timezone.localtime(moment), "DATETIME_FORMAT")
