"""What is different between two versions of a dataset, or of two datasets."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet

from skinclinic.archive.models import DatasetItem, DatasetVersion

ADDED, REMOVED, RELABELLED, MOVED = KINDS = ("added", "removed", "relabelled", "moved")
SHOWN = 24


@dataclass(frozen=True)
class Change:
    """One kind of difference: how many photos, and the first of them with what they were (``was``)."""

    count: int
    items: list[DatasetItem]


def between(
    old: DatasetVersion, new: DatasetVersion, counts: dict[str, dict[str, Any]] | None = None
) -> dict[str, Change]:
    """Every kind of difference with its first photos, of what was ``counted`` or is now."""
    found = counted(old, new) if counts is None else counts
    there = DatasetItem.objects.select_related("entry").in_bulk(
        [key for one in found.values() for key in one["items"]]
    )
    changes = {
        kind: Change(found[kind]["count"], [there[key] for key in found[kind]["items"] if key in there])
        for kind in KINDS
    }
    note_earlier(old, [item for change in changes.values() for item in change.items])
    return changes


def counted(
    old: DatasetVersion,
    new: DatasetVersion,
    say: Callable[[float], None] = lambda share: None,
    marked: dict[str, list[int]] | None = None,
) -> dict[str, dict[str, Any]]:
    """{kind: {"count", "items": keys of the first}}. ``say`` hears the share that is done, ``marked`` gets all keys."""
    found = {}
    for done, kind in enumerate(KINDS):
        say(done / len(KINDS))
        keys = sorted(rows(old, new, kind).order_by().values_list("pk", flat=True))
        found[kind] = {"count": len(keys), "items": keys[:SHOWN]}
        if marked is not None:
            marked[kind] = keys
    return found


def rows(old: DatasetVersion, new: DatasetVersion, kind: str) -> QuerySet[DatasetItem]:
    """All photos of one kind of difference: items of ``new``, of removed ones those of ``old``.

    Photos are told apart by their content. One that moved and has another label is found under both.
    """
    before = old.items.filter(content_sha256=OuterRef("content_sha256"))
    if kind == REMOVED:
        return old.items.filter(~Exists(new.items.filter(content_sha256=OuterRef("content_sha256"))))
    if kind == ADDED:
        return new.items.filter(~Exists(before))
    field = {RELABELLED: "label", MOVED: "split"}[kind]
    return new.items.filter(Exists(before), ~Exists(before.filter(**{field: OuterRef(field)})))


def note_earlier(old: DatasetVersion, items: Iterable[DatasetItem]) -> None:
    """Give each item what it was in the old version (``was``; None for one that was not there)."""
    items = list(items)
    there = old.items.filter(content_sha256__in=[item.content_sha256 for item in items])
    earlier = {item.content_sha256: item for item in there}
    for item in items:
        item.was = earlier.get(item.content_sha256)
