"""Who got what: the readers of each arm, as a table of their first facts."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean

from django.utils.translation import gettext as _

from reader_study.models import Allocation, Study
from reader_study.services.making.design_points import arm_name


@dataclass(frozen=True)
class Arm:
    """Readers of one ``arm`` and set of ``blocks``: ``groups`` are (name, number) of those who count; ``years`` (mean,
    least, most) of practice, where stated by ``stated``."""

    arm: Sequence[str]
    blocks: Sequence[int]
    allocated: int
    withdrawn: int
    began: int
    finished: int
    groups: Sequence[tuple[str, int]]
    years: tuple[float, int, int] | None
    stated: int

    @property
    def counted(self) -> int:
        return self.allocated - self.withdrawn

    @property
    def name(self) -> str:
        return in_words(self.arm, self.blocks)


def name_of(place: Allocation) -> str:
    """What a reader got, in words."""
    return in_words(place.arm, place.blocks)


def in_words(arm: Sequence[str], blocks: Sequence[int]) -> str:
    """The sessions where they are drawn, and the blocks."""
    said = [arm_name(arm)] if arm else []
    if blocks:
        said.append(_("block %(numbers)s") % {"numbers": ", ".join(map(str, blocks))})
    return " · ".join(said)


def table(study: Study) -> list[Arm]:
    """A line for each arm; none where nothing is drawn by lot."""
    rows = (
        study.allocations.select_related("reader__group")
        .prefetch_related("reader__readings")
        .order_by("place")
    )
    number = dict(study.sessions.values_list("key", "number"))
    found: dict[tuple, list[Allocation]] = defaultdict(list)
    for row in rows:
        found[tuple(number.get(key, 0) for key in row.arm), tuple(row.blocks)].append(row)
    groups = list(study.groups.order_by("place", "pk").values_list("name", flat=True))
    return [_arm(found[one], groups) for one in sorted(found)]


def _arm(places: Sequence[Allocation], groups: Sequence[str]) -> Arm:
    counted = [place.reader for place in places if place.reader.withdrawn_at is None]
    readings = [list(reader.readings.all()) for reader in counted]
    years = [reader.years_of_practice for reader in counted if reader.years_of_practice is not None]
    names = [reader.group.name if reader.group else "" for reader in counted]
    return Arm(
        places[0].arm,
        places[0].blocks,
        len(places),
        len(places) - len(counted),
        sum(any(one.started_at for one in of_reader) for of_reader in readings),
        sum(bool(of_reader) and all(one.finished_at for one in of_reader) for of_reader in readings),
        tuple((group, names.count(group)) for group in groups),
        (mean(years), min(years), max(years)) if years else None,
        len(years),
    )
