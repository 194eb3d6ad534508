"""The keys of all photos of a large version that something is found of, kept in parts, so that a page reads those that
it shows.

Of more than MOST that are listed by label and side (``against``) the parts are also kept by label, by side and by both;
of fewer those of a label or a side are chosen when somebody asks.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from skinclinic.archive.models import DatasetFound, DatasetItem, DatasetVersion
from skinclinic.archive.services.datasets import against
from skinclinic.web.keyset import KeysInParts

PART = 1000
MOST = 10_000


def parts(version: DatasetVersion, kind: str, keys: Sequence[int]) -> Iterator[DatasetFound]:
    """Rows to be kept of the items with these keys, lowest first."""
    lists = {("", ""): keys}
    if len(keys) > MOST and kind in against.REASONS:
        lists |= _by_label_and_side(keys)
    for (label, side), held in lists.items():
        for number, start in enumerate(range(0, len(held) or 1, PART)):
            part = list(held[start : start + PART])
            yield DatasetFound(
                version=version, kind=kind, label=label, split=side, number=number,
                first=part[0] if part else 0, count=len(part), keys=part,
            )  # fmt: skip


def _by_label_and_side(keys: Sequence[int]) -> dict[tuple[str, str], list[int]]:
    lists: dict[tuple[str, str], list[int]] = defaultdict(list)
    for start in range(0, len(keys), PART):
        items = DatasetItem.objects.filter(pk__in=keys[start : start + PART]).order_by("pk")
        for key, label, side in items.values_list("pk", "label", "split"):
            for at in {(label, ""), ("", side), (label, side)} - {("", "")}:
                lists[at].append(key)
    return lists


def kept(version: DatasetVersion, kind: str, to: Mapping[str, str] | None = None) -> Sequence[int] | None:
    """The keys, lowest first, read as far as they are asked for; None where none are kept. ``to``: of a ``label``, a
    ``split`` or both alone, as they were when the keys were kept."""
    every = _read(version, kind)
    if not every.parts:
        return None
    if not to:
        return every
    if len(every) > MOST:
        return _read(version, kind, **to)
    return sorted(version.items.filter(pk__in=every[:], **to).order_by().values_list("pk", flat=True))


def _read(version: DatasetVersion, kind: str, label: str = "", split: str = "") -> KeysInParts:
    rows = DatasetFound.objects.filter(version=version, kind=kind, label=label, split=split)

    def read(number: int) -> list[int]:
        return rows.filter(number=number).values_list("keys", flat=True).first() or []

    return KeysInParts(list(rows.order_by("number").values_list("first", "count")), read)
