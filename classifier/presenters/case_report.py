"""The report on a lesion over time, and on a patient, ready to be printed. In the language that is active."""

import io

from django.utils import timezone
from django.utils.translation import pgettext
from PIL import Image

from classifier.plots.body_picture import Place
from classifier.plots.case_pdf import Block, CaseReport
from classifier.plots.letter_pdf import Letterhead
from classifier.presenters import case_words as words
from classifier.services.analysis.case_story import Story, Visit, story_of
from skinclinic import imaging
from skinclinic.files import store
from skinclinic.models import Clinic, Lesion, Member, Patient, Photo, User
from skinclinic.services import documents, language_marks
from skinclinic.web.counts import gettext as _

# Of one visit no more photos are printed; the others are counted.
MOST_PICTURES = 8
_SIDE = 800


def paper_of(said: dict) -> Letterhead:
    """The letterhead of ``documents.letterhead``, with its logo read."""
    return Letterhead(
        said["name"], said["address"], said["phone"], _picture(said["logo"]) if said["logo"] else None
    )


def lesion_report(user: User, member: Member, lesion: Lesion) -> CaseReport:
    story = story_of(user, member, lesion)
    patient = lesion.patient
    rows = [(_("Patient"), patient.code if patient else _("not filed yet"))]
    rows += _person(patient) if patient else []
    rows += [
        (_("Site"), words.place(story)),
        *([(_("Note"), lesion.note)] if lesion.note else []),
        (_("Visits"), str(len(story.visits))),
    ]
    return _report(
        user,
        lesion.clinic,
        title=_("A lesion over time"),
        facts=rows,
        blocks=[_visit(story, visit) for visit in story.visits],
        closing=[
            (_("Pathology"), words.pathology(story)),
            (_("What comes next"), words.plan(story)),
            *([(_("Not shown"), _waits())] if story.hides else []),
        ],
    )


def patient_report(user: User, member: Member, patient: Patient, lesions: list[Lesion]) -> CaseReport:
    """``lesions`` in the order of the patient's page, which numbers them."""
    stories = [story_of(user, member, lesion) for lesion in lesions]
    notes = patient.notes.filter(is_taken_back=False).select_related("created_by").order_by("created_at")
    rows = [(_("Patient"), patient.code), *_person(patient), (_("Lesions"), str(len(lesions)))]
    rows += [(_("Note"), f"{note.text}\n({_by(note)})") for note in notes]
    places = [
        Place(number, lesion.site, lesion.site_x, lesion.site_y)
        for number, lesion in enumerate(lesions, 1)
        if lesion.site
    ]
    return _report(
        user,
        patient.clinic,
        title=_("Report on a patient"),
        facts=rows,
        blocks=[_lesion(number, story) for number, story in enumerate(stories, 1)],
        places=places,
        places_note=_("The numbers are those of the lesions. A ring marks a site without an exact place."),
        closing=[(_("Not shown"), _waits())] if any(story.hides for story in stories) else [],
    )


def _report(user: User, clinic: Clinic, *, title: str, **parts) -> CaseReport:
    when = words.moment(timezone.now())
    return CaseReport(
        letterhead=paper_of(documents.letterhead(clinic)),
        title=title,
        subtitle=_("made by %(who)s, %(when)s") % {"who": user, "when": when},
        disclaimer=_(
            "The model does not diagnose: its scores say how much a photo looks like what it was trained on. "
            "Diagnoses are those of the people named."
        ),
        footer=language_marks.marked(f"SkinClinic · {clinic.name} · {when}"),
        page_word=_("Page"),
        **parts,
    )


def _person(patient: Patient) -> list[tuple[str, str]]:
    return [
        (_("Birth year"), str(patient.birth_year or "–")),
        (_("Sex"), str(patient.get_sex_display()) or "–"),
        (_("Fitzpatrick skin type"), patient.get_skin_type_display() or "–"),
        (pgettext("of a patient", "History"), words.history(patient)),
    ]


def _visit(story: Story, visit: Visit) -> Block:
    shown = visit.photos[:MOST_PICTURES]
    rows = [
        (
            _("Diagnosis") + f"\n{row.user}",
            f"{_said(row.diagnosis)} ({words.day(timezone.localdate(row.decided_at))})",
        )
        for row in visit.decisions
    ]
    rows += [(_("Own impression"), words.with_others(said)) for said in visit.impressions]
    if not rows:
        rows.append((_("Diagnosis"), _("none recorded")))
    rows.append((_("Symptoms"), words.symptoms(visit)))
    rows += [(_("Note"), f"{note.text}\n({_by(note)})") for note in visit.notes]
    for number, photo in enumerate(visit.photos, 1):
        which = f" {number}" if len(visit.photos) > 1 else ""
        rows.append((_("Model on photo") + which, words.answer(story, photo)))
    if not visit.photos:
        rows.append((_("Photos"), _("none of this day")))
    elif len(visit.photos) > len(shown):
        more = len(visit.photos) - len(shown)
        rows.append((_("Photos"), _("%(n)d more of this day are not printed") % {"n": more}))
    pictures = []
    for number, photo in enumerate(shown, 1):
        which = f"{number}. " if len(visit.photos) > 1 else ""
        pictures.append(_shown(photo, which + words.photo_caption(photo)))
    return Block(_("Visit of %(day)s") % {"day": words.day(visit.day)}, pictures, rows)


def _lesion(number: int, story: Story) -> Block:
    """One lesion in short: its carrying photo, what is said of it, what comes next."""
    photos = {photo.pk: photo for visit in story.visits for photo in visit.photos}
    photo = photos.get(story.lesion.told_by_id or 0)
    rows = [(_("Own diagnosis"), words.with_others(story.own) if story.own else _("none recorded"))]
    others = {
        row.user_id: row
        for visit in story.visits
        for row in reversed(visit.decisions)
        if row.user_id != story.user.pk
    }
    rows += [(f"{row.user}", _said(row.diagnosis)) for row in others.values() if row.diagnosis]
    last = next((visit for visit in reversed(story.visits) if visit.symptoms), None)
    rows += [
        (_("Symptoms"), words.symptoms(last) if last else _("Nothing was asked.")),
        *([(_("Note"), story.lesion.note)] if story.lesion.note else []),
        (_("Pathology"), words.pathology(story)),
        (_("What comes next"), words.plan(story)),
    ]
    if photo:
        rows.append((_("Model"), words.answer(story, photo)))
    rows.append((_("Last photo"), words.day(story.last_photo_on) if story.last_photo_on else _("No photo")))
    return Block(
        f"{number}. {words.place(story)}", [_shown(photo, words.photo_caption(photo))] if photo else [], rows
    )


def _said(diagnosis) -> str:
    return words.with_others(diagnosis) if diagnosis else _("no diagnosis: the model set aside")


def _by(note) -> str:
    return f"{note.created_by or '–'}, {words.moment(note.created_at)}"


def _waits() -> str:
    return _("Colleagues' diagnoses or notes: the own impression comes first.")


def _shown(photo: Photo, caption: str) -> tuple[str, Image.Image | None]:
    picture = _picture(photo.file_key)
    return (caption if picture else " · ".join([caption, _("the file is missing")])), picture


def _picture(key: str) -> Image.Image | None:
    """A stored picture in the size that is printed; None where its file is gone."""
    try:
        return Image.open(io.BytesIO(imaging.for_screen(store.read(key), _SIDE))).convert("RGB")
    except OSError:
        return None
