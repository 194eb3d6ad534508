"""Reviewing entries: accepting, rejecting, correcting, and taking it back. Every change is kept."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from skinclinic.archive import labels
from skinclinic.archive.models import (
    LABEL_LENGTH,
    Entry,
    EntryChange,
    RejectReason,
    Review,
)
from skinclinic.archive.services.curating import vocabulary
from skinclinic.models import Clinic, Diagnosis, User
from skinclinic.vocabulary.diseases import BY_KEY
from skinclinic.web.inputs import storable

EDITABLE = ("label", "subtype", "icd10", "impression", "text", "is_proven", "confirmed_by")
Action = EntryChange.Action
_ACTIONS = {Review.ACCEPTED: Action.ACCEPTED, Review.REJECTED: Action.REJECTED, Review.PENDING: Action.UNDONE}


class ReviewError(ValueError):
    """What was asked makes no sense; ``code``: no_reason, no_label, long_label, bad_code, changed_since."""

    def __init__(self, code: str):
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Outcome:
    """What became of a decision on several entries: the changes made, and entries somebody else has decided
    meanwhile."""

    changes: list[EntryChange]
    others: list[Entry]


@transaction.atomic
def decide(
    *, clinic: Clinic, user: User, entry_ids: Iterable[int], review: str, reason: str = "", seen: str = ""
) -> Outcome:
    """Accept or reject entries of the clinic. ``seen``: the state the person saw; an entry that is in
    another one by now is left alone. The same decision twice is one. Raises ReviewError."""
    if review == Review.REJECTED and reason not in RejectReason.values:
        raise ReviewError("no_reason")
    after = {"review": str(review), "reject_reason": reason if review == Review.REJECTED else ""}
    changes, others = [], []
    for entry in (
        Entry.objects.select_for_update().filter(clinic=clinic, pk__in=list(entry_ids)).order_by("pk")
    ):
        if all(getattr(entry, name) == value for name, value in after.items()):
            continue
        if seen and entry.review != seen:
            others.append(entry)
            continue
        changes.append(_apply(entry, user, _ACTIONS[Review(review)], after, reviewed=True))
    return Outcome(changes, others)


@transaction.atomic
def edit(*, entry: Entry, user: User, **fields) -> EntryChange | None:
    """Correct an entry; another label resets its review. None when nothing changed. Raises ReviewError."""
    entry = Entry.objects.select_for_update().get(pk=entry.pk)
    if unknown := set(fields) - set(EDITABLE):
        raise TypeError(f"no such field: {unknown}")
    if "label" in fields:
        fields["label"] = _label(entry.clinic, user, fields["label"])
        if fields["label"] != entry.label:
            fields = {"icd10": _icd10(fields["label"]), "subtype": ""} | fields
            fields |= {"review": str(Review.PENDING), "reject_reason": "", "disagreement": None}
    if fields.get("subtype"):
        of = fields.get("label", entry.label)
        fields["subtype"] = vocabulary.subtype(entry.clinic, user, of, fields["subtype"])
    if fields.get("is_proven") and not fields.get("confirmed_by", entry.confirmed_by):
        fields["confirmed_by"] = str(Diagnosis.ConfirmedBy.HISTOPATHOLOGY)
    after = {name: value for name, value in fields.items() if getattr(entry, name) != value}
    return _apply(entry, user, Action.EDITED, after) if after else None


@transaction.atomic
def undo(change: EntryChange, user: User) -> EntryChange:
    """Restore what an entry was before a change. Raises ReviewError when it was changed since."""
    entry = Entry.objects.select_for_update().get(pk=change.entry_id)
    change = EntryChange.objects.select_for_update().get(pk=change.pk)
    wanted = {name: values[1] for name, values in change.fields.items()}
    if change.undone_at or any(getattr(entry, name) != value for name, value in wanted.items()):
        raise ReviewError("changed_since")
    EntryChange.objects.filter(pk=change.pk).update(undone_at=timezone.now())
    before = {name: values[0] for name, values in change.fields.items()}
    return _apply(entry, user, Action.UNDONE, before, reviewed="review" in before)


def _apply(entry: Entry, user: User, action: str, after: dict, *, reviewed: bool = False) -> EntryChange:
    fields = {name: [getattr(entry, name), value] for name, value in after.items()}
    values = dict(after)
    if "review" in after:
        decided = reviewed and after["review"] != Review.PENDING
        values |= {
            "reviewed_by": user if decided else None,
            "reviewed_at": timezone.now() if decided else None,
        }
    for name, value in values.items():
        setattr(entry, name, value)
    entry.save(update_fields=list(values))
    return EntryChange.objects.create(
        clinic_id=entry.clinic_id, entry=entry, action=action, by=user, fields=fields
    )


def _label(clinic: Clinic, user: User, label: str) -> str:
    """The label in its one spelling. Raises ReviewError."""
    label = labels.tidy(label)
    if not label or not storable(label):
        raise ReviewError("no_label")
    if len(label) > LABEL_LENGTH:
        raise ReviewError("long_label")
    return vocabulary.label(clinic, user, label)


def _icd10(label: str) -> str:
    return BY_KEY[label].icd10 if label in BY_KEY else ""
