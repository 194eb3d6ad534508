"""Disease by side: of how many photos and patients the two sides of a divided version are."""

from dataclasses import dataclass

from django.db.models import Count, Q

from skinclinic.archive import labels
from skinclinic.archive.models import DatasetItem, DatasetVersion
from skinclinic.vocabulary.diseases import DISEASE_KEYS

TRAIN, TEST = DatasetItem.Split.TRAIN, DatasetItem.Split.TEST
# Fewer say little of a disease.
FEW = 10


@dataclass(frozen=True)
class Cell:
    """Photos of a disease on a side, and the patients they are of. Photos of unknown patients count by lesion;
    ``unknown``: how many lesions (or photos of which not even that is known) those are."""

    photos: int = 0
    patients: int = 0
    unknown: int = 0

    @property
    def units(self) -> int:
        """Patients, and for lack of them lesions."""
        return self.patients + self.unknown

    @property
    def is_few(self) -> bool:
        return min(self.photos, self.units) < FEW


@dataclass(frozen=True)
class Line:
    label: str
    train: Cell
    test: Cell


def table(version: DatasetVersion) -> list[Line]:
    """A line for each of the 12 and each background disease that is there: one query."""
    known, unknown = ~Q(person=""), Q(person="")
    rows = version.items.order_by().values_list("label", "split").annotate(
        photos=Count("id"),
        patients=Count("person", distinct=True, filter=known),
        lesions=Count("lesion", distinct=True, filter=unknown & ~Q(lesion="")),
        alone=Count("id", filter=unknown & Q(lesion="")),
    )  # fmt: skip
    cells = {
        (label, side): Cell(photos, patients, lesions + alone)
        for label, side, photos, patients, lesions, alone in rows
    }
    held = {label for label, _side in cells}
    return [
        Line(label, cells.get((label, TRAIN), Cell()), cells.get((label, TEST), Cell()))
        for label in sorted({*DISEASE_KEYS, *held}, key=labels.order)
        if label in held
    ]


def few(lines: list[Line], side: str) -> list[Line]:
    """The lines with too little on a side to say much; of none at all on both sides nothing is said."""
    return [line for line in lines if getattr(line, side).is_few]
