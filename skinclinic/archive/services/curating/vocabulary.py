"""The clinic's own words: background diseases and subtypes beyond the built-in ones, each in one spelling."""

from datetime import datetime

from django.db.models import QuerySet

from skinclinic.archive import labels
from skinclinic.archive.models import BackgroundDisease, Entry, Subtype
from skinclinic.archive.services import size
from skinclinic.models import Clinic, User
from skinclinic.vocabulary import subtypes
from skinclinic.vocabulary.diseases import BY_KEY

MOST_COUNTED = 1000


class InUse(Exception):
    """Photos bear the word; it cannot be removed. ``count`` says how many, as far as they are counted; ``more``:
    whether there are more than these."""

    def __init__(self, count: int):
        super().__init__(str(count))
        self.count, self.more = min(count, MOST_COUNTED), count > MOST_COUNTED


def label(clinic: Clinic, user: User | None, name: str, icd10: str = "") -> str:
    """A label in its one spelling; a background disease the clinic does not know yet is added."""
    name = labels.tidy(name)
    if name.casefold() in BY_KEY:
        return name.casefold()
    known = BackgroundDisease.objects.filter(clinic=clinic, name__iexact=name).first()
    if known is None:
        known = BackgroundDisease.objects.get_or_create(
            clinic=clinic, name=name, defaults={"created_by": user, "icd10": icd10}
        )[0]
    return known.name


def subtype(clinic: Clinic, user: User | None, of: str, name: str) -> str:
    """A subtype of the label ``of`` in its one spelling; one that is new to the clinic is added."""
    name = labels.tidy(name)
    if not name:
        return ""
    if built_in := subtypes.spellings(of).get(name.casefold()):
        return built_in
    for known in subtypes_of(clinic, of):
        if known.casefold() == name.casefold():
            return known
    return Subtype.objects.get_or_create(clinic=clinic, label=of, name=name, defaults={"created_by": user})[
        0
    ].name


def subtypes_of(clinic: Clinic, of: str) -> list[str]:
    """Subtypes of a label: the built-in ones, then the clinic's."""
    own = Subtype.objects.filter(clinic=clinic, label=of).values_list("name", flat=True)
    return [*subtypes.BUILT_IN.get(of, {}), *own]


def subtype_spellings(clinic: Clinic) -> dict[tuple[str, str], str]:
    """{(label, subtype without case): subtype} of every subtype the clinic knows."""
    own = Subtype.objects.filter(clinic=clinic).values_list("label", "name")
    found = {(of, name.casefold()): name for of, name in own}
    for of in subtypes.BUILT_IN:
        found |= {(of, text): name for text, name in subtypes.spellings(of).items()}
    return found


def background(clinic: Clinic) -> tuple[list[BackgroundDisease], datetime | None]:
    """The clinic's background diseases, each with ``photos``: how many entries bear it; when those were counted, if not
    now."""
    counted = size.by_label(clinic)
    rows = list(BackgroundDisease.objects.filter(clinic=clinic))
    for row in rows:
        row.photos = counted.parts.get(row.name, 0)
    return rows, counted.at


def remove_background(row: BackgroundDisease) -> None:
    """Remove a name no photo bears. Raises InUse."""
    _require_unused(Entry.objects.filter(clinic=row.clinic_id, label=row.name))
    row.delete()


def remove_subtype(row: Subtype) -> None:
    """Remove a subtype no photo bears. Raises InUse."""
    # Not "" is what the index of subtypes holds; SQLite uses it only where the question says so.
    bear = Entry.objects.filter(clinic=row.clinic_id, subtype=row.name, subtype__gt="")
    _require_unused(bear.filter(label=row.label))
    row.delete()


def _require_unused(bear: QuerySet[Entry]) -> None:
    if count := bear.order_by()[: MOST_COUNTED + 1].count():
        raise InUse(count)
