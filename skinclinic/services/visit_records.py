"""What is recorded of a lesion's visits besides photos, and of a patient: notes and symptoms."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone

from skinclinic.models import Lesion, Member, Note, Patient, Symptoms, User
from skinclinic.models.visit import LONGEST_NOTE
from skinclinic.services import cases, records, visits, worklist
from skinclinic.services.identifying import require_nobody_named
from skinclinic.services.refused import Refused
from skinclinic.services.search_words import index_note
from skinclinic.web.counts import gettext as _


def days_of(lesion: Lesion, notes: Iterable[Note], symptoms: Iterable[Symptoms]) -> list[date]:
    """The days of the lesion's visits that anything is known of, newest first. ``notes``, ``symptoms``: all of its."""
    days = {visits.day_of(*taken) for taken in lesion.photos.values_list("captured_at", "created_at")}
    days |= {note.visit_on for note in notes if note.visit_on} | {row.visit_on for row in symptoms}
    return sorted(days, reverse=True)


def symptoms_of(lesion: Lesion, visit_on: date) -> Symptoms:
    """Those of a visit; a new row, not stored, where nothing was recorded."""
    return lesion.symptoms.filter(visit_on=visit_on).first() or no_symptoms(lesion, visit_on)


def no_symptoms(lesion: Lesion, visit_on: date) -> Symptoms:
    return Symptoms(clinic_id=lesion.clinic_id, lesion=lesion, visit_on=visit_on)


@transaction.atomic
def record_symptoms(
    lesion: Lesion,
    visit_on: date,
    wanted: Mapping[str, Any],
    user: User,
    *,
    seen: Mapping[str, Any] | None = None,
) -> records.Saved:
    """Write what ``wanted`` changes of them; ``seen`` as in ``records.change``. Raises Conflict, Refused."""
    _require_past(visit_on)
    # One row a visit, also when two people save the first answers at once.
    cases.hold(Lesion.objects.filter(pk=lesion.pk)).get()
    row = symptoms_of(lesion, visit_on)
    if row._state.adding:
        if not any(wanted.values()):
            return records.Saved(row)
        row.created_by = user
        row.save()
    return records.change(row, wanted, user, seen=seen)


@transaction.atomic
def add_note(
    user: User,
    text: str,
    *,
    lesion: Lesion | None = None,
    visit_on: date | None = None,
    patient: Patient | None = None,
) -> Note:
    """Keep a note on a visit of a lesion, or on a patient. The same again (a double click) changes nothing.

    Raises Refused.
    """
    owner = lesion or patient
    if owner is None or bool(lesion) != bool(visit_on):
        raise ValueError("a note is of a visit of a lesion, or of a patient")
    if visit_on:
        _require_past(visit_on)
    text = _checked(text)
    if lesion:
        cases.hold(Lesion.objects.filter(pk=lesion.pk)).get()
    place = {"lesion": lesion, "visit_on": visit_on, "patient": patient}
    same = Note.objects.filter(**place, text=text, created_by=user, is_taken_back=False)
    if found := same.first():
        return found
    note = Note.objects.create(clinic_id=owner.clinic_id, created_by=user, text=text, **place)
    index_note(note)
    return note


@transaction.atomic
def change_note(
    note: Note,
    wanted: Mapping[str, Any],
    user: User,
    *,
    seen: Mapping[str, Any] | None = None,
    check: Callable[[records.Record], None] = lambda row: None,
) -> records.Saved:
    """Change the text, or take it back or up again; what it was stays in its history. For its author only.

    Raises PermissionDenied, Refused, Conflict.
    """
    require_author(note, user)
    if "text" in wanted:
        wanted = {**wanted, "text": _checked(wanted["text"])}
    saved = records.change(note, wanted, user, seen=seen, check=check)
    if isinstance(saved.row, Note) and saved.changed:
        index_note(saved.row)
    return saved


def require_author(note: Note, user: User) -> None:
    """Raise PermissionDenied for anybody else."""
    if note.created_by_id != user.pk:
        raise PermissionDenied(_("Only the person who wrote a note can change it or take it back."))


def keeps_notes_back(user: User, member: Member, photos: Iterable[int | None]) -> bool:
    """Whether colleagues' notes on the lesion of these photos must wait: they may name what it is, and the person's own
    impression comes first."""
    return bool(worklist.hidden_answers(user, member, [pk for pk in photos if pk]))


def lesions_kept_back(user: User, member: Member, lesions: Iterable[Lesion]) -> set[int]:
    """Those of the lesions (of the member's clinic) whose colleagues' notes must wait."""
    told_by = {lesion.pk: lesion.told_by_id for lesion in lesions}
    hidden = worklist.hidden_answers(user, member, [pk for pk in told_by.values() if pk])
    return {lesion for lesion, photo in told_by.items() if photo in hidden}


def any_of(lesion: Lesion) -> bool:
    """Whether anything was recorded of a visit of the lesion."""
    return lesion.notes.exists() or lesion.symptoms.exists()


def hand_over(source: Lesion, home: Lesion) -> None:
    """Let ``home``, into which the photos of ``source`` went, take over what was recorded there. Symptoms of a visit
    that has some already stay where they are: nobody may choose between them here."""
    source.notes.update(lesion=home)
    taken = home.symptoms.values("visit_on")
    source.symptoms.exclude(visit_on__in=taken).update(lesion=home)


def places(lesions: Iterable[int]) -> dict[str, dict[str, int]]:
    """Which lesion each note and each row of symptoms belongs to, for ``put_back``; plain JSON."""
    wanted = list(lesions)
    return {
        kind._meta.model_name or "": {
            str(pk): lesion
            for pk, lesion in kind._default_manager.filter(lesion__in=wanted).values_list("pk", "lesion")
        }
        for kind in (Note, Symptoms)
    }


def put_back(before: Mapping[str, Mapping[str, int]], lesions: Mapping[int, Lesion]) -> None:
    """Give each back to the lesion it had."""
    for kind in (Note, Symptoms):
        for pk, lesion in before.get(kind._meta.model_name or "", {}).items():
            kind._default_manager.filter(pk=pk).update(lesion=lesions[lesion])


def _require_past(day: date) -> None:
    if day > timezone.localdate():
        raise Refused("visit_on", _("This visit lies in the future. Choose today or an earlier day."))


def _checked(text: str) -> str:
    text = "\n".join(text.replace("\0", "").splitlines()).strip()
    if not text:
        raise Refused("text", _("Write something first. A note that is wrong can be taken back."))
    require_nobody_named("text", text)
    if len(text) > LONGEST_NOTE:
        message = _("Shorten this to %(longest)s characters; it has %(count)s.")
        raise Refused("text", message % {"longest": LONGEST_NOTE, "count": len(text)})
    return text
