"""Disease by side: of how many photos and patients the two sides of a divided version are."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from typing import Any

from django.db.models import Count, F, Q, QuerySet

from skinclinic.archive import labels
from skinclinic.archive.models import DatasetItem, DatasetVersion
from skinclinic.archive.services.curating import consent
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


def to_json(lines: list[Line]) -> list[tuple]:
    """As plain values, which can be kept."""
    return [astuple(line) for line in lines]


def from_json(values: list[list]) -> list[Line]:
    """The other way."""
    return [Line(label, Cell(*train), Cell(*test)) for label, train, test in values]


_OF_PEOPLE = {
    "withdrawn": Count("id", filter=Q(content_sha256__startswith=DatasetItem.WITHDRAWN)),
    "gone": Count("id", filter=Q(entry=None)),
    "unwilling": Count("id", filter=consent.missing("entry__")),
    "covered": Count("id", filter=Q(entry__isnull=False) & ~Q(content_sha256=F("entry__content_sha256"))),
    "persons": Count("person", distinct=True, filter=~Q(person="")),
    "unknown": Count("id", filter=Q(person="")),
    "lesions": Count("lesion", distinct=True, filter=Q(person="") & ~Q(lesion="")),
    "alone": Count("id", filter=Q(person="", lesion="")),
}


def to_learn_from(versions: Sequence[DatasetVersion]) -> dict[int, dict[str, Any]]:
    """{version: what its training side (all, where nothing was divided) gives}: {"labels": {label: (photos,
    patients)}, "whole": {persons, lesions, …; withdrawn, gone, unwilling, covered: photos that may not be used}}. Two
    queries for any number of them."""
    undivided = [version.pk for version in versions if not version.split]
    items = DatasetItem.objects.filter(version__in=versions).order_by()
    training = items.filter(Q(version__in=undivided) | Q(split=TRAIN))
    given: dict[int, dict[str, Any]] = {
        version.pk: {"labels": {}, "whole": dict.fromkeys(_OF_PEOPLE, 0)} for version in versions
    }
    if not versions:
        return given
    for row in training.values("version", "label").annotate(
        photos=Count("id"), patients=Count("person", distinct=True, filter=~Q(person=""))
    ):
        given[row["version"]]["labels"][row["label"]] = (row["photos"], row["patients"])
    people: QuerySet[Any, Any] = training.values("version").annotate(**_OF_PEOPLE)
    for whole in people:
        given[whole["version"]]["whole"] = {name: whole[name] for name in _OF_PEOPLE}
    return given
