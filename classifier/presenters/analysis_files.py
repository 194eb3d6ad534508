"""An analysis as files: the square it is of, its heatmaps, the three panels, the report. Whoever asks for one has
checked that the answer may be seen (``assessments.may_see_answer``)."""

import io
from dataclasses import dataclass

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from PIL import Image, ImageDraw

from classifier.models import Analysis, Explanation
from classifier.plots.analysis_pdf import Report, ScoreLine, build_pdf
from classifier.plots.colormaps import OPACITY, captioned, heatmap_rgb, overlay, three_panels
from classifier.presenters import cautions, computed, explanations, suggested_squares
from classifier.presenters import unlike as familiar
from classifier.presenters.decisions import told
from classifier.presenters.differential import ResultView, ThresholdFacts
from classifier.presenters.maps import caption
from classifier.services.analysis import assessments
from classifier.services.evaluation.figure_files import FONT_FILE
from classifier.services.models.card import validated_on
from classifier.services.models.manifest_words import in_words
from skinclinic import imaging
from skinclinic.files import store
from skinclinic.models import Diagnosis, Photo, User
from skinclinic.presenters import visit
from skinclinic.services import language_marks, visit_records, visits
from skinclinic.templatetags.ui import TIERS
from skinclinic.vocabulary import asked, spoken
from skinclinic.vocabulary.diseases import DISEASE_KEYS

# Pixels of a heatmap's picture, across.
HEATMAP_SIDE = 768
SET_ASIDE_WORDS = {
    "overview": gettext_lazy("An overview: the model knows close-ups only. Nothing is listed."),
    "dermoscopic": gettext_lazy(
        "A dermoscopic photo: the model knows clinical close-ups only. Nothing is listed."
    ),
    "unfit": gettext_lazy("There is nothing to judge on this photo. Nothing is listed."),
}


@dataclass(frozen=True)
class Drawn:
    """Which heatmap and how: ``disease`` is one of the 12 keys, ``colours`` a name of ``COLORMAPS``, ``opacity`` 0..1
    of what lies over the photo; ``explanation``: whose heatmaps, where it is not Grad-CAM that came with the scores."""

    disease: str
    colours: str = "cividis"
    opacity: float = OPACITY
    explanation: Explanation | None = None


def square_jpeg(photo: Photo, box: imaging.Box) -> bytes:
    """A square of the stored photo, as JPEG. Raises OSError where the file is gone."""
    return imaging.encode_jpeg(imaging.crop(imaging.open_rgb(store.read(photo.file_key)), box))


def panels_png(found: Analysis, drawn: Drawn) -> bytes:
    """Photo, overlay and heatmap alone, side by side. Raises OSError where the photo's file is gone."""
    square = imaging.crop(imaging.open_rgb(store.read(found.photo.file_key)), found.box)
    heatmap, said = _heatmap(found, drawn), _caption(found, drawn)
    panels = three_panels(square, heatmap, opacity=drawn.opacity, colormap=drawn.colours, caption=said)
    return _png(panels)


def heatmap_png(found: Analysis, drawn: Drawn, *, over_photo: bool) -> bytes:
    """``heatmap_picture`` as PNG."""
    return _png(heatmap_picture(found, drawn, over_photo=over_photo))


def heatmap_picture(found: Analysis, drawn: Drawn, *, over_photo: bool) -> Image.Image:
    """One heatmap with what it is under it: alone, or ``over_photo``. Raises OSError where the photo's file is gone."""
    heatmap = _heatmap(found, drawn)
    if over_photo:
        square = imaging.crop(imaging.open_rgb(store.read(found.photo.file_key)), found.box)
        square = square.resize((HEATMAP_SIDE, HEATMAP_SIDE), Image.Resampling.LANCZOS)
        picture = overlay(square, heatmap, drawn.opacity, drawn.colours)
    else:
        picture = heatmap_rgb(heatmap, HEATMAP_SIDE, drawn.colours)
    return captioned(picture, _caption(found, drawn))


def _png(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def _caption(found: Analysis, drawn: Drawn) -> list[str]:
    version = found.model_version
    first, *others = caption(drawn.disease, version.name + (_(" (demo model)") if version.is_demo else ""))
    return [f"{first} · {_method(found, drawn.explanation)}", *others]


def _method(found: Analysis, explanation: Explanation | None) -> str:
    return explanations.in_words(explanation) if explanation else explanations.own_in_words(found)


def _heatmap(found: Analysis, drawn: Drawn):
    heatmaps = (drawn.explanation or found).heatmaps()
    return heatmaps[DISEASE_KEYS.index(drawn.disease)].astype("float32")


def report_pdf(report: Report) -> bytes:
    """The report as PDF."""
    return build_pdf(report, FONT_FILE)


def words_of(report: Report) -> list[object]:
    """All that a report says but when it was printed."""
    return [
        report.title, report.subtitle, report.facts, report.notices, report.score_head, report.scores,
        report.score_note, report.caption, report.records, report.model_facts, report.disclaimer,
        [title for title, _picture in report.panels],
    ]  # fmt: skip


def report_of(user: User, found: Analysis, view: ResultView, drawn: Drawn) -> Report:
    """The report for this person: what the model says, what they said of it, the pathology. Raises OSError where the
    photo's file is gone."""
    photo = imaging.open_rgb(store.read(found.photo.file_key))
    square = imaging.crop(photo, found.box)
    heatmap = _heatmap(found, drawn)
    name = spoken.disease(drawn.disease)
    thresholds = view.thresholds
    return Report(
        title=_("Analysis of a skin photo"),
        subtitle=f"{found.clinic.name} · {_when(found.analysed_at)}",
        photo=_with_square(photo, found.box),
        panels=[
            (_("Photo"), square),
            (_("Overlay") + f": {name}", overlay(square, heatmap, drawn.opacity, drawn.colours)),
            (_("Heatmap alone") + f": {name}", heatmap_rgb(heatmap, square.width, drawn.colours)),
        ],
        facts=_facts(user, found, drawn.explanation),
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
        caption=" · ".join(_caption(found, drawn)),
        records=_records(user, found),
        model_title=_("About the model"),
        model_facts=[
            (
                _("Model"),
                found.model_version.name + (_(" (demo model)") if found.model_version.is_demo else ""),
            ),
            (_("Trained on"), in_words(found.model_version.manifest.get("trained_on"))),
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
        footer=language_marks.marked(
            _("SkinClinic · %(model)s · printed %(when)s")
            % {"model": found.model_version.name, "when": _when(timezone.now())}
        ),
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


def _facts(user: User, found: Analysis, explanation: Explanation | None) -> list[tuple[str, str]]:
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
        *_of_square(found),
        *_of_heatmap(found, explanation),
        (_("Report for"), str(user)),
    ]
    if photo.is_synthetic:
        facts.append((_("Note"), _("Synthetic photo: drawn by a computer, no patient")))
    return facts


def _of_square(found: Analysis) -> list[tuple[str, str]]:
    """Who chose the square among those that the network suggested; nothing of another."""
    said = suggested_squares.of_square(found)
    return [(_("Square"), said)] if said else []


def _of_heatmap(found: Analysis, explanation: Explanation | None) -> list[tuple[str, str]]:
    """Whose heatmap is printed, where it is not the one that came with the scores."""
    if explanation is None:
        return []
    return [(_("Heatmap"), f"{_method(found, explanation)}; {explanations.provenance(explanation)}")]


def _notices(found: Analysis, view: ResultView) -> list[str]:
    notices = [str(SET_ASIDE_WORDS[view.set_aside])] if view.set_aside else []
    if found.before_cover:
        notices.append(
            _("This answer is of the photo before it was covered: part of its square is hidden now.")
        )
    told = familiar.told(found.unlike, found.model_version.manifest)
    notices.append(told.whole if told.is_unlike else told.text)
    notices += cautions.of_photo(found)
    if view.verdict and not view.listed and not view.set_aside:
        notices.append(view.verdict)
    return notices


def _records(user: User, found: Analysis) -> list[tuple[str, str]]:
    """The reader's own impression and decision, what the patient says of the lesion, the pathology if there is one."""
    rows, records = assessments.of_photo(user, found.photo), []
    own = next((row for row in rows if row.analysis == found), None)
    if own and own.impression:
        also = own.impression.also_said
        records.append(
            (_("Own impression"), spoken.diagnosis(own.impression) + (f"; {also}" if also else ""))
        )
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
        records.append((_("Pathology"), f"{spoken.diagnosis(proof)} ({proof.get_confirmed_by_display()})"))
    return records


def _when(moment) -> str:
    return date_format(timezone.localtime(moment), "DATETIME_FORMAT")
