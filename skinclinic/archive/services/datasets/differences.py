"""What is different between two versions of a dataset."""

from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q

from skinclinic.archive.models import DatasetItem, DatasetVersion

SHOWN = 24


@dataclass(frozen=True)
class Change:
    """One kind of difference: how many photos, and the first of them with what they were (``was``)."""

    count: int
    items: list[DatasetItem]


def between(old: DatasetVersion, new: DatasetVersion) -> dict[str, Change]:
    """{"added", "removed", "relabelled", "moved"}: photos are told apart by their content."""
    before = old.items.filter(content_sha256=OuterRef("content_sha256"))
    after = new.items.filter(content_sha256=OuterRef("content_sha256"))
    kept = new.items.filter(Exists(before))
    changes = {
        "added": _change(new.items.filter(~Exists(before))),
        "removed": _change(old.items.filter(~Exists(after))),
        "relabelled": _change(kept.filter(~Exists(before.filter(label=OuterRef("label"))))),
        "moved": _change(kept.filter(~Exists(before.filter(split=OuterRef("split"))))),
    }
    shown = [item for name in ("relabelled", "moved") for item in changes[name].items]
    earlier = {
        item.content_sha256: item
        for item in old.items.filter(Q(content_sha256__in=[item.content_sha256 for item in shown]))
    }
    for item in shown:
        item.was = earlier.get(item.content_sha256)
    return changes


def _change(rows) -> Change:
    return Change(rows.count(), list(rows.select_related("entry").order_by("pk")[:SHOWN]))
