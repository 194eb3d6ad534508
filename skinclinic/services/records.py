"""Changing a patient, a lesion, what is said of a photo or of a visit, when others may be changing it too.

Only what a person changed is written; what two have changed to different values is asked about, never overwritten.
"""

import datetime
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import reduce
from operator import or_
from typing import Any

from django.db import models, transaction
from django.db.models import Q

from skinclinic.models import Lesion, Note, Patient, Photo, RecordChange, Symptoms, User
from skinclinic.services import audit, cases, consent, merging
from skinclinic.services.lesions import photos_changed
from skinclinic.services.merging import Unit
from skinclinic.vocabulary import asked

Record = Patient | Lesion | Photo | Note | Symptoms
HISTORY: tuple[Unit, ...] = tuple((name,) for name, _name in asked.HISTORY)
SYMPTOMS: tuple[Unit, ...] = (*((name,) for name, _name in asked.SYMPTOMS), ("since",))
UNITS: dict[type[Record], tuple[Unit, ...]] = {
    Patient: (
        ("code",), ("birth_year",), ("sex",), ("skin_type",), ("ethnicity",), ("research_consent", "consent_on"),
        *HISTORY, ("referrer",),
    ),
    Lesion: (("patient",), ("site", "site_x", "site_y"), ("note",)),
    Photo: (("kind",), ("captured_at", "captured_offset")),
    Note: (("text",), ("is_taken_back",)),
    Symptoms: SYMPTOMS,
}  # fmt: skip
# Of everything else the audit tells only that it changed: texts, codes and what patients say stay with their rows.
TOLD = {
    "birth_year", "sex", "skin_type", "research_consent", "consent_on", "patient", "site", "kind", "captured_at",
    "is_taken_back",
}  # fmt: skip


@dataclass(frozen=True)
class Clash:
    """What two people have made of one unit: {field: value} each. ``last``: the change that stands, if it is known."""

    unit: Unit
    theirs: dict[str, Any]
    mine: dict[str, Any]
    last: RecordChange | None = None


class Conflict(Exception):
    """Somebody else has changed the same fields meanwhile; nothing was written. ``row`` is what stands; ``merged``:
    that with everything this person changed, for a form to show."""

    def __init__(self, row: Record, clashes: list[Clash], merged: dict[str, Any]):
        super().__init__()
        self.row = row
        self.clashes = clashes
        self.merged = merged


@dataclass(frozen=True)
class Saved:
    """The row as it stands now, the fields that were changed, and what followed from a consent taken back, or from a
    lesion that went to a patient who does not consent."""

    row: Record
    changed: dict[str, list] = field(default_factory=dict)
    effects: list[consent.Effect] = field(default_factory=list)


def values_of(row: Record) -> dict[str, Any]:
    """Everything of the row that people may change, JSON-safe."""
    names = [name for unit in UNITS[type(row)] for name in unit]
    return {name: plain(row._meta.get_field(name).value_from_object(row)) for name in names}  # type: ignore[union-attr]  # no relation from elsewhere is among them


def plain(value: Any) -> Any:
    """A value of a form or a row as JSON has it."""
    if isinstance(value, models.Model):
        return value.pk
    return value.isoformat() if isinstance(value, datetime.date) else value


@transaction.atomic
def change(
    row: Record,
    wanted: Mapping[str, Any],
    user: User,
    *,
    seen: Mapping[str, Any] | None = None,
    check: Callable[[Record], None] = lambda row: None,
) -> Saved:
    """Write what ``wanted`` changes. ``seen``: the values the person saw, JSON-safe; None: not known, which then
    cannot clash. ``check`` may refuse, by an exception, the row as it stands. Raises Conflict.
    """
    if isinstance(row, Photo):
        cases.hold_lesion_of(row)
    stands: Record = type(row)._default_manager.select_for_update().get(pk=row.pk)
    check(stands)
    before = values_of(stands)
    asked = {name: plain(value) for name, value in wanted.items()}
    merged = merging.merge(UNITS[type(stands)], seen or {}, asked, before)
    if merged.clashes:
        clashes = [_clash(stands, unit, before, asked) for unit in merged.clashes]
        mine = {name: value for clash in clashes for name, value in clash.mine.items()}
        raise Conflict(stands, clashes, before | merged.changes | mine)
    changes = {name: wanted[name] for name in merged.changes}
    if isinstance(stands, Patient):
        changes |= consent.dated(stands, changes)
    return _write(stands, before, changes, user) if changes else Saved(stands)


def note_first_consent(patient: Patient, user: User) -> None:
    """Keep who recorded the consent of a patient that was just made, and when."""
    if patient.research_consent:
        fields = {
            "research_consent": ["", patient.research_consent],
            "consent_on": [None, plain(patient.consent_on)],
        }
        RecordChange.objects.create(clinic_id=patient.clinic_id, patient=patient, by=user, fields=fields)


def consent_history(patient: Patient) -> list[RecordChange]:
    """Who recorded, changed or dated the consent, newest first."""
    rows = patient.changes.filter(_touching(("research_consent", "consent_on")))
    return list(rows.select_related("by"))


def _write(row: Record, before: dict[str, Any], changes: dict[str, Any], user: User) -> Saved:
    permitted = row.permits_archive if isinstance(row, Patient) else False
    for name, value in changes.items():
        setattr(row, name, value)
    effects: list[consent.Effect] = []
    if isinstance(row, Patient) and permitted and not row.permits_archive:
        effects = consent.take_effect(row, user)
    with consent.by(user) as followed:
        # Everything else belongs to whoever may be writing it now.
        row.save(update_fields=list(changes))
        if isinstance(row, Photo):
            # Which answer the lesion carries depends on the kinds and days of its photos.
            photos_changed([row.lesion_id])
            cases.refresh(row.lesion)
    if not isinstance(row, Patient):
        effects = followed
    changed = {name: [before[name], plain(value)] for name, value in changes.items()}
    audit.record(
        f"{row._meta.model_name}.change", row, by=user, **audit.changes(changed, set(changed) - TOLD)
    )
    if not isinstance(row, Photo):
        of = {row._meta.model_name or "": row}
        RecordChange.objects.create(clinic_id=row.clinic_id, by=user, fields=changed, **of)
    return Saved(row, changed, effects)


def _clash(row: Record, unit: Unit, before: dict[str, Any], asked: dict[str, Any]) -> Clash:
    changes = RecordChange.objects.none() if isinstance(row, Photo) else row.changes.filter(_touching(unit))
    last = changes.select_related("by").first()
    theirs = {name: before[name] for name in unit}
    return Clash(unit, theirs, theirs | {name: asked[name] for name in unit if name in asked}, last)


def _touching(unit: Unit) -> Q:
    return reduce(or_, (Q(fields__has_key=name) for name in unit))
