"""Reviewing entries: accepting, rejecting, correcting, tagging, and taking it back. Every change is kept."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction

from skinclinic.archive.models import Entry, EntryChange, RejectReason, Review
from skinclinic.archive.services.curating import changes, consent, relabelling, vocabulary
from skinclinic.archive.services.curating.relabelling import ReviewError
from skinclinic.models import Clinic, Diagnosis, User
from skinclinic.vocabulary import tags

__all__ = ["Outcome", "ReviewError", "decide", "edit", "tag", "undo"]

EDITABLE = ("label", "subtype", "icd10", "impression", "text", "is_proven", "confirmed_by")
Action = EntryChange.Action
ACTIONS = {Review.ACCEPTED: Action.ACCEPTED, Review.REJECTED: Action.REJECTED, Review.PENDING: Action.UNDONE}


@dataclass(frozen=True)
class Outcome:
    """What became of a decision on several entries: the changes made, and entries somebody else has decided
    meanwhile."""

    changes: list[EntryChange]
    others: list[Entry]


def decision(review: str, reason: str) -> dict:
    """The fields of an entry that is accepted or rejected. Raises ReviewError."""
    if review == Review.REJECTED and reason not in RejectReason.values:
        raise ReviewError("no_reason")
    return {"review": str(review), "reject_reason": reason if review == Review.REJECTED else ""}


@transaction.atomic
def decide(
    *, clinic: Clinic, user: User, entry_ids: Iterable[int], review: str, reason: str = "", seen: str = ""
) -> Outcome:
    """Accept or reject entries of the clinic. ``seen``: the state the person saw; an entry that is in
    another one by now is left alone. The same decision twice is one. Raises ReviewError."""
    after = decision(review, reason)
    keys = list(entry_ids)
    if review == Review.ACCEPTED and consent.lacking(keys):
        raise ReviewError("no_consent")
    wanted, others = [], []
    for entry in Entry.objects.select_for_update().filter(clinic=clinic, pk__in=keys).order_by("pk"):
        change = changes.changed(entry, after, user, reviewed=True)
        if change is None:
            continue
        if seen and entry.review != seen:
            others.append(entry)
            continue
        wanted.append(change)
    return Outcome(changes.write(wanted, user, ACTIONS[Review(review)]), others)


@transaction.atomic
def edit(
    *, entry: Entry, user: User, reason: str = "", proof: str = "", action: str = Action.EDITED, **fields
) -> EntryChange | None:
    """Correct an entry. None when nothing changed. Raises ReviewError.

    Another label resets the review and what was said of the old one: the subtype, the code and the proof, which is
    dropped unless ``proof`` says how the new label was confirmed. A code or subtype that is given anew is kept.
    """
    entry = Entry.objects.select_for_update().get(pk=entry.pk)
    if unknown := set(fields) - set(EDITABLE):
        raise TypeError(f"no such field: {unknown}")
    if "label" in fields:
        fields["label"] = relabelling.tidy_label(entry.clinic, user, fields["label"])
    if fields.get("label", entry.label) != entry.label:
        fields = relabelling.fields_of(entry.clinic, fields["label"], proof) | _given_anew(entry, fields)
    elif fields.get("is_proven") and not fields.get("confirmed_by", entry.confirmed_by):
        fields["confirmed_by"] = str(Diagnosis.ConfirmedBy.HISTOPATHOLOGY)
    if fields.get("subtype"):
        of = fields.get("label", entry.label)
        fields["subtype"] = vocabulary.subtype(entry.clinic, user, of, fields["subtype"])
    change = changes.changed(entry, fields, user)
    return changes.write([change], user, action, note=reason)[0] if change else None


@transaction.atomic
def tag(*, entry: Entry, user: User, key: str) -> EntryChange:
    """Give an entry a tag, or take it away if it has it. Raises ReviewError."""
    if key not in tags.TAG_KEYS:
        raise ReviewError("no_tag")
    entry = Entry.objects.select_for_update().get(pk=entry.pk)
    after = {"tags": tags.join({*tags.split(entry.tags)} ^ {key})}
    return changes.write([changes.Change(entry, after)], user, Action.TAGGED)[0]


@transaction.atomic
def undo(change: EntryChange, user: User) -> EntryChange:
    """Restore what an entry was before a change. Raises ReviewError when it was changed since."""
    entry = Entry.objects.select_for_update().get(pk=change.entry_id)
    change = EntryChange.objects.select_for_update().get(pk=change.pk)
    if change.fields.get("review", [""])[0] == Review.ACCEPTED and consent.lacking([entry.pk]):
        raise ReviewError("no_consent")
    if not changes.take_back([change], {entry.pk: entry}, user):
        raise ReviewError("changed_since")
    return EntryChange.objects.filter(entry=entry).latest("pk")


def _given_anew(entry: Entry, fields: dict) -> dict:
    """What of a correction is not what the old label had: texts, and a code or subtype of the new one."""
    kept = {name: value for name, value in fields.items() if name not in ("is_proven", "confirmed_by")}
    return {
        name: value
        for name, value in kept.items()
        if name not in ("icd10", "subtype") or (value and value != getattr(entry, name))
    }
