"""What is different between two versions of a dataset, or of two datasets."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, QuerySet

from skinclinic.archive.models import DatasetItem, DatasetVersion

ADDED, REMOVED, RELABELLED, MOVED = KINDS = ("added", "removed", "relabelled", "moved")
SHOWN = 24


@dataclass(frozen=True)
class Change:
    """One kind of difference: how many photos, and the first of them with what they were (``was``)."""

    count: int
    items: list[DatasetItem]


def between(old: DatasetVersion, new: DatasetVersion) -> dict[str, Change]:
    """Every kind of difference with its first photos."""
    changes = {}
    for kind in KINDS:
        found = rows(old, new, kind)
        first = list(found.select_related("entry").order_by("pk")[:SHOWN])
        note_earlier(old, first)
        changes[kind] = Change(found.count(), first)
    return changes


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
