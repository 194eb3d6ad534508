"""Which photos one action is done to, where they are too many to note while a person waits.

The job gathers them: what the search finds of the photos that were there when it was asked for. What somebody changed
between the asking and the gathering is taken as it was when it was asked for, so that it is among them exactly if it
was then; the steps find it changed and leave it, with their count. What the history of the entries does not hold (the
members of datasets, the model's opinion, facts of patients and photos) is as the job finds it, and a photo that was
deleted meanwhile is not found.
"""

from collections.abc import Sequence

from django.db import transaction
from django.db.models import QuerySet

from skinclinic.archive.models import BulkChange, Entry, EntryChange
from skinclinic.archive.services.bulk import actions
from skinclinic.archive.services.curating import changes
from skinclinic.archive.services.searching.selection import Selection, entries

# So many keys are noted while a person waits.
NOTED = 10_000
UNTIL = "until"
_AT_ONCE = 500
_COLUMNS = {field.name: field for field in Entry._meta.concrete_fields if not field.is_relation}


def newest(row_of: QuerySet[Entry]) -> int:
    """The highest key of these entries, 0 of none."""
    return row_of.order_by("-pk").values_list("pk", flat=True).first() or 0


def undone(done: BulkChange) -> list[int]:
    """The entries that this work has changed, or moved in or out of a dataset, lowest first."""
    made = done.members if done.action in actions.OF_DATASETS else done.changes
    return list(made.order_by("entry_id").values_list("entry_id", flat=True))


def gather(row: BulkChange) -> list[int]:
    """The keys of the entries it is for, lowest first. Raises query_text.QueryError."""
    if row.of is not None:
        return undone(row.of)
    until = row.values[UNTIL]
    found = entries(row.clinic, Selection.read(row.selection)).filter(pk__lte=until)
    keys = set(found.values_list("pk", flat=True))
    # Looked for after those that match: what is changed after this the steps find themselves.
    since = EntryChange.objects.filter(clinic=row.clinic, at__gt=row.created_at, entry__lte=until)
    changed = sorted(set(since.order_by().values_list("entry", flat=True)))
    keys.difference_update(changed)
    for start in range(0, len(changed), _AT_ONCE):
        keys |= _matched(row, found, changed[start : start + _AT_ONCE])
    return sorted(keys)


@transaction.atomic
def _matched(row: BulkChange, found: QuerySet[Entry], keys: Sequence[int]) -> set[int]:
    """Which of these the search found when it was asked for: they are set back, looked at, and all of that is rolled
    back."""
    there = {
        entry.pk: entry for entry in Entry.objects.select_for_update().filter(pk__in=keys).order_by("pk")
    }
    names = set()
    since = EntryChange.objects.filter(entry__in=keys, at__gt=row.created_at)
    for change in since.order_by("-pk"):  # the oldest of them last: what it was before that holds
        entry = there[change.entry_id]
        for name, (before, _after) in change.fields.items():
            if name in _COLUMNS:
                setattr(entry, name, _COLUMNS[name].to_python(before))
                names.add(name)
        if "review" in change.fields:
            for name in changes.REVIEWED:
                setattr(entry, name, change.reviewed.get(name))
            names |= {"reviewed_by", "reviewed_at"}
    if names:
        Entry.objects.bulk_update(there.values(), sorted(names))
    matched = set(found.filter(pk__in=keys).values_list("pk", flat=True))
    transaction.set_rollback(True)
    return matched
