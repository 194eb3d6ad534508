"""What the pages of a lesion, a result and a patient show of visits: symptoms, notes with what they were before."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from skinclinic.kept_queries import kept
from skinclinic.models import Lesion, Member, Note, Patient, Photo, RecordChange, Symptoms, User
from skinclinic.services import records, visit_records, visits
from skinclinic.vocabulary import asked


@dataclass(frozen=True)
class Question:
    """Something that was asked, or not: ``word`` says which in words."""

    name: str
    label: str
    value: str
    word: str


@dataclass(frozen=True)
class NoteTold:
    note: Note
    is_own: bool
    # Earlier texts, newest first: who replaced each, when.
    earlier: list[RecordChange] = field(default_factory=list)
    seen: str = ""

    @property
    def changed_at(self):
        return self.earlier[0].at if self.earlier else None


def questions(
    row: Symptoms | Patient, names: Iterable[tuple[str, object]], typed: dict | None = None
) -> list[Question]:
    """``typed``: what a form sent, in place of what is stored."""
    words = {key: str(word) for key, word in asked.ANSWERS}
    found = []
    for name, label in names:
        value = (typed or {}).get(name, getattr(row, name))
        found.append(Question(name, str(label), value, words.get(value, value)))
    return found


def in_words(found: Sequence[Question], since: str = "", *, names_unasked: bool = True) -> str:
    """ "Itch: Yes · Bleeding: No · not asked: Growth, Pain", or "Nothing was asked." All in one line."""
    said = [f"{one.label}: {one.word}" for one in found if one.value]
    if not said:
        return _("Nothing was asked.") + (f" {since}" if since else "")
    if since:
        said.append(_("since %(when)s") % {"when": since})
    if names_unasked and (left := [one.label for one in found if not one.value]):
        said.append(_("not asked: %(names)s") % {"names": ", ".join(left)})
    return " · ".join(said)


def notes_told(notes: Iterable[Note], user: User, changes: Iterable[RecordChange]) -> list[NoteTold]:
    """As the notes come; ``changes``: of all of them, newest first."""
    before: dict[int, list[RecordChange]] = {}
    for change in changes:
        if "text" in change.fields and change.note_id:
            before.setdefault(change.note_id, []).append(change)
    return [
        NoteTold(
            note, note.created_by_id == user.pk, before.get(note.pk, []), json.dumps(records.values_of(note))
        )
        for note in notes
    ]


def _changes(which: Q, known: Sequence[models.Model]) -> list[RecordChange]:
    """Those of rows that are stored; nothing is asked where there are none."""
    return list(RecordChange.objects.filter(which).select_related("by")) if known else []


def visit_of(
    user: User, member: Member, lesion: Lesion, *, on: str = "", photo: Photo | None = None, **more
) -> dict:
    """The panel of one visit: of ``photo``, else of the day ``on`` (ISO), else of the last photo, else of today."""
    today = timezone.localdate()
    notes = _notes(lesion.pk)
    symptoms = {row.visit_on: row for row in _symptoms(lesion.pk)}
    for note in notes:
        note.lesion = lesion
    for answers in symptoms.values():
        answers.lesion = lesion
    if photo:
        days, chosen = [], visits.day_of(photo.captured_at, photo.created_at)
    else:
        days = visit_records.days_of(lesion, notes, symptoms.values())
        chosen = _day(on, [*days, today]) or (days[0] if days else today)
    row = symptoms.get(chosen) or visit_records.no_symptoms(lesion, chosen)
    hides = visit_records.keeps_notes_back(user, member, [lesion.told_by_id, photo.pk if photo else None])
    own = [note for note in notes if not hides or note.created_by_id == user.pk]
    found = questions(row, asked.SYMPTOMS)
    rows = [row] if row.pk else []
    changes = _changes(Q(note__in=own) | Q(symptoms__in=rows), [*own, *rows])
    return {
        "lesion": lesion,
        "photo": photo,
        "can_edit": member.can_edit,
        "on": chosen,
        "days": sorted({*days, today, chosen}, reverse=True),
        "questions": found,
        "answers": asked.ANSWERS,
        "since": row.since,
        "told": in_words(found, row.since),
        "seen": json.dumps(records.values_of(row)),
        # Who said so last, and when.
        "last": next((change for change in changes if change.symptoms_id), None),
        "notes": notes_told(own, user, changes),
        "hides_notes": len(own) < len(notes),
    } | more


@kept
def _notes(lesion: int) -> models.QuerySet[Note]:
    return Note.objects.filter(lesion=lesion).select_related("created_by")


@kept
def _symptoms(lesion: int) -> models.QuerySet[Symptoms]:
    return Symptoms.objects.filter(lesion=lesion)


def of_patient(user: User, member: Member, patient: Patient, **more) -> dict:
    """The panel of a patient: what came before, and notes."""
    found = questions(patient, asked.HISTORY)
    notes = list(patient.notes.select_related("created_by"))
    touched = Q(patient=patient, fields__has_any_keys=[name for name, _label in asked.HISTORY])
    changes = _changes(Q(note__in=notes) | touched, [patient])
    return {
        "patient": patient,
        "can_edit": member.can_edit,
        "questions": found,
        "answers": asked.ANSWERS,
        "told": in_words(found),
        "seen": json.dumps(records.values_of(patient)),
        "last": next((change for change in changes if change.patient_id), None),
        "notes": notes_told(notes, user, changes),
    } | more


def _day(text: str, among: Sequence[date]) -> date | None:
    return next((day for day in among if day.isoformat() == text), None)
