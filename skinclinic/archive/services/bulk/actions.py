"""What each action does to one step of the photos, inside the transaction that counts them as done."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _

from skinclinic.archive.models import (
    BulkChange,
    BulkMember,
    DatasetItem,
    DatasetVersion,
    Entry,
    EntryChange,
    Review,
)
from skinclinic.archive.services.curating import changes, consent, review
from skinclinic.archive.services.datasets import datasets, dividing, large
from skinclinic.services.refused import Refused
from skinclinic.vocabulary import tags

Action = BulkChange.Action
OF_DATASETS = (Action.ADD, Action.TAKE_OUT)


@dataclass(frozen=True)
class Counts:
    """How many of a step's photos were changed, and how many were so already."""

    changed: int = 0
    same: int = 0


def apply(row: BulkChange, entries: Mapping[int, Entry]) -> Counts:
    """Do it to these entries, which are held. Raises Refused where a dataset can no longer be changed."""
    if row.action == Action.UNDO:
        return _undo(row, entries)
    if row.action in OF_DATASETS:
        return _add(row, entries) if row.action == Action.ADD else _take_out(row, entries)
    # What may not be accepted is left, and counted so.
    barred = consent.lacking(entries.keys()) if row.action == Action.ACCEPT else set()
    held = [entry for key, entry in entries.items() if key not in barred]
    made = [one for entry in held if (one := _change(row, entry))]
    changes.write(made, row.created_by, _action_of(row), note=row.values.get("note", ""), bulk=row)
    return Counts(len(made), len(held) - len(made))


def _change(row: BulkChange, entry: Entry) -> changes.Change | None:
    values = row.values
    if row.action in (Action.ACCEPT, Action.REJECT):
        wanted = review.decision(_review_of(row), values.get("reason", ""))
        return changes.changed(entry, wanted, row.created_by, reviewed=True)
    if row.action == Action.RELABEL:
        if entry.label == values["label"]:
            return None
        return changes.changed(entry, values["fields"], row.created_by)
    held, chosen = set(tags.split(entry.tags)), set(values["tags"])
    return changes.changed(
        entry,
        {"tags": tags.join(held | chosen if row.action == Action.TAG else held - chosen)},
        row.created_by,
    )


def _review_of(row: BulkChange) -> Review:
    return Review.ACCEPTED if row.action == Action.ACCEPT else Review.REJECTED


def _action_of(row: BulkChange) -> str:
    if row.action in (Action.ACCEPT, Action.REJECT):
        return review.ACTIONS[_review_of(row)]
    return EntryChange.Action.EDITED if row.action == Action.RELABEL else EntryChange.Action.TAGGED


def _draft(row: BulkChange) -> DatasetVersion:
    if row.version is None:
        raise Refused("", _("The draft of “%(name)s” is gone.") % {"name": row.values.get("dataset", "")})
    return large.lock_draft(row.version)


def _add(row: BulkChange, entries: Mapping[int, Entry]) -> Counts:
    version = _draft(row)
    there = set(version.items.filter(entry__in=entries).values_list("entry", flat=True))
    new = [key for key in entries if key not in there]
    if new:
        _keep_split(row, version)
    datasets.add(version, Entry.objects.filter(pk__in=new))
    BulkMember.objects.bulk_create([BulkMember(bulk=row, entry_id=key) for key in new], batch_size=500)
    return Counts(len(new), len(there))


def _take_out(row: BulkChange, entries: Mapping[int, Entry]) -> Counts:
    version = _draft(row)
    items = list(version.items.filter(entry__in=entries).values("pk", "entry_id", *datasets.COPIED))
    held = [
        BulkMember(
            bulk=row, entry_id=item["entry_id"],
            item={name: item[name] for name in datasets.COPIED} | {"split": ""},
        )
        for item in items
    ]  # fmt: skip
    if items:
        _keep_split(row, version)
    BulkMember.objects.bulk_create(held, batch_size=500)
    datasets.remove(version, [item["pk"] for item in items])
    return Counts(len(items), len(entries) - len(items))


def _undo(row: BulkChange, entries: Mapping[int, Entry]) -> Counts:
    done = row.of
    if done is None:
        return Counts()
    if done.action not in OF_DATASETS:
        found = done.changes.filter(entry__in=entries).select_for_update().order_by("pk")
        return Counts(changes.take_back(found, entries, row.created_by, row))
    version = _draft(row)
    if done.action == Action.ADD:
        items = version.items.filter(entry__in=entries).values_list("pk", flat=True)
        removed = datasets.remove(version, items)
        dividing.restore_split(version, done.values.get("split", {}))
        return Counts(removed)
    there = set(version.items.filter(entry__in=entries).values_list("entry", flat=True))
    back = [one for one in done.members.filter(entry__in=entries) if one.entry_id not in there]
    DatasetItem.objects.bulk_create(
        [DatasetItem(version=version, entry_id=one.entry_id, **one.item) for one in back], batch_size=500
    )
    if back:
        large.changed(version, len(back))
        dividing.forget_split(version)
    dividing.restore_split(version, done.values.get("split", {}))
    return Counts(len(back))


def _keep_split(row: BulkChange, version: DatasetVersion) -> None:
    """Note how the draft was split, which its change of members makes it forget."""
    if version.split:
        row.values = row.values | {"split": version.split}
        BulkChange.objects.filter(pk=row.pk).update(values=row.values)
