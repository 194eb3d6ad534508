"""Writing changes of entries, one or many, each with its line in the history; and taking them back."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from django.db import connection
from django.db.models import Case, Value, When
from django.db.models.functions import Cast
from django.utils import timezone

from skinclinic.archive.models import BulkChange, Entry, EntryChange, Review
from skinclinic.archive.services.curating import consent
from skinclinic.models import User
from skinclinic.models.columns import field_of
from skinclinic.services import audit

REVIEWED = ("reviewed_by_id", "reviewed_at")
# Of everything else the audit tells only that it changed.
TOLD = {
    "label", "subtype", "icd10", "impression", "second_label", "is_proven", "confirmed_by", "review",
    "reject_reason", "tags",
}  # fmt: skip


@dataclass(frozen=True)
class Change:
    """What the fields of an entry become; ``also``: columns that follow and make no line in the history."""

    entry: Entry
    after: dict
    also: dict = field(default_factory=dict)


def changed(entry: Entry, wanted: dict, user: User | None, *, reviewed: bool = False) -> Change | None:
    """The change to these values; None where the entry is so already. ``reviewed``: the review is this person's."""
    after = {name: value for name, value in wanted.items() if getattr(entry, name) != value}
    if not after:
        return None
    also: dict = {}
    if "review" in after:
        decided = reviewed and after["review"] != Review.PENDING
        also["reviewed_by_id"] = user.pk if user and decided else None
        also["reviewed_at"] = timezone.now() if decided else None
    if "second_label" in after:
        also["second_by_id"] = user.pk if user and after["second_label"] else None
    return Change(entry, after, also)


def write(
    changes: Sequence[Change],
    user: User | None,
    action: str,
    *,
    note: str = "",
    bulk: BulkChange | None = None,
) -> list[EntryChange]:
    """Store them, in the caller's transaction, which holds the entries: two statements, whatever their number."""
    rows = EntryChange.objects.bulk_create(
        [
            EntryChange(
                clinic_id=one.entry.clinic_id, entry=one.entry, action=action, by=user, note=note, bulk=bulk,
                fields={name: [getattr(one.entry, name), value] for name, value in one.after.items()},
                reviewed=_reviewed(one.entry) if "review" in one.after else {},
            )
            for one in changes
        ],
        batch_size=500,
    )  # fmt: skip
    audit.record_each(f"entry.{action}", [(one.entry, _told(one)) for one in changes], by=user)
    _update(changes)
    for one in changes:
        for name, value in (one.after | one.also).items():
            setattr(one.entry, name, value)
    return rows


def _told(change: Change) -> audit.Changes:
    """What becomes of the entry, for the audit."""
    fields = {name: [getattr(change.entry, name), value] for name, value in change.after.items()}
    return audit.changes(fields, set(fields) - TOLD)


def take_back(
    found: Iterable[EntryChange],
    entries: Mapping[int, Entry],
    user: User | None,
    bulk: BulkChange | None = None,
) -> int:
    """Restore what the entries were before these changes; return how many.

    An entry that is no longer as its change left it, or may not be accepted again, stays as it is. ``entries``: those
    of the changes, held.
    """
    restored, undone = [], []
    barred = consent.lacking(entries.keys())
    for change in found:
        entry = entries.get(change.entry_id)
        if entry is None or not _stands(change, entry):
            continue
        if entry.pk in barred and change.fields.get("review", [""])[0] == Review.ACCEPTED:
            continue
        before = {name: values[0] for name, values in change.fields.items()}
        also = {name: change.reviewed.get(name) for name in REVIEWED} if "review" in before else {}
        if "second_label" in before:
            also["second_by_id"] = None
        restored.append(Change(entry, before, also))
        undone.append(change.pk)
    EntryChange.objects.filter(pk__in=undone).update(undone_at=timezone.now())
    write(restored, user, EntryChange.Action.UNDONE, bulk=bulk)
    return len(restored)


def _stands(change: EntryChange, entry: Entry) -> bool:
    return not change.undone_at and all(
        getattr(entry, name) == values[1] for name, values in change.fields.items()
    )


def _reviewed(entry: Entry) -> dict:
    at = entry.reviewed_at
    return {"reviewed_by_id": entry.reviewed_by_id, "reviewed_at": at.isoformat() if at else None}


def _update(changes: Sequence[Change]) -> None:
    """One UPDATE for all: a value that is the same for all as it is, others by the keys they belong to."""
    if not changes:
        return
    names = {name for one in changes for name in (*one.after, *one.also)}
    values = {name: _value(name, changes) for name in sorted(names)}
    Entry.objects.filter(pk__in=[one.entry.pk for one in changes]).update(**values)


def _value(name: str, changes: Sequence[Change]):
    keys_of: dict = {}
    for one in changes:
        after = one.after | one.also
        value = after[name] if name in after else getattr(one.entry, name)
        keys_of.setdefault(value, []).append(one.entry.pk)
    if len(keys_of) == 1:
        return next(iter(keys_of))
    column = field_of(Entry, name)
    case = Case(
        *(When(pk__in=keys, then=Value(value, output_field=column)) for value, keys in keys_of.items()),
        output_field=column,
    )
    return Cast(case, output_field=column) if connection.features.requires_casted_case_in_updates else case
