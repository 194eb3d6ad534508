"""Reading through a list: which case comes before and after, and which of how many one is at.

The query of the list travels with the link to each case, with the moment when the reading began and the place of the
case in the list's order. So a case that leaves the list, because it was just decided, keeps its place.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import QueryDict
from django.utils import timezone

from skinclinic.models import Lesion, Member, User
from skinclinic.services import worklist
from skinclinic.services.worklist import Filters
from skinclinic.web import keyset


@dataclass(frozen=True)
class Walk:
    """A list as somebody began to read it, and where in it they are."""

    filters: Filters
    began: datetime
    at: str = ""

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> "Walk | None":
        """The walk of an address; None where it names no list."""
        if "list" not in values:
            return None
        try:
            began = datetime.fromtimestamp(float(values.get("began", "")), UTC)
        except (ValueError, OverflowError, OSError):
            began = timezone.now()
        filters = Filters.read(QueryDict(str(values["list"])[:2000]))
        return cls(filters, began, str(values.get("at", "")))

    def query(self) -> str:
        """The query of the address of a case in this list."""
        asked = self.filters.address().removeprefix("?")
        values = {"list": asked, "began": f"{self.began.timestamp():.6f}", "at": self.at}
        return f"?{urlencode(values)}"


@dataclass(frozen=True)
class Place:
    """Where a case stands in its list. ``number`` is None for one that is not in it, or very far down."""

    number: int | None
    total: int
    is_listed: bool
    previous: Lesion | None
    next: Lesion | None


class Reader:
    """One person reading one list."""

    def __init__(self, member: Member, user: User, walk: Walk):
        self.walk = walk
        answers_open = worklist.answers_are_open(member)
        self.order = worklist.order(walk.filters, answers_open=answers_open)
        self.rows: QuerySet[Lesion] = worklist.lesions(
            member.clinic, user, walk.filters, answers_open=answers_open, began=walk.began
        )

    def at(self, lesion: Lesion) -> Walk:
        """The same walk at this case of the list."""
        return replace(self.walk, at=keyset.place(lesion, self.order))

    def place(self, lesion: Lesion) -> Place:
        """Where the case stands. Raises keyset.BadCursor for an address that somebody made up."""
        before, after = keyset.sides(self.rows, self.order, self.walk.at)
        earlier = worklist.count(before)
        is_listed = self.rows.filter(pk=lesion.pk).exists()
        number = earlier + 1 if is_listed and earlier < worklist.MOST_COUNTED else None
        return Place(number, worklist.count(self.rows), is_listed, before.first(), after.first())

    def next_undecided(self) -> tuple[Lesion | None, bool]:
        """The next case that is to be decided, and whether the list was begun anew to find it. Raises
        keyset.BadCursor."""
        before, after = keyset.sides(self.rows.filter(to_decide=True), self.order, self.walk.at)
        if found := after.first():
            return found, False
        return before.last(), True


def page_around(
    rows: QuerySet[Lesion], order: tuple[str, ...], at: str, size: int
) -> tuple[keyset.Page[Lesion], int | None]:
    """The page of the list that a place lies on, and the key of the case there, or else of the next one. Raises
    keyset.BadCursor."""
    before, after = keyset.sides(rows, order, at)
    earlier = worklist.count(before)
    # Of a place too far down to count to, only what is near matters.
    above = earlier % size if earlier <= worklist.MOST_COUNTED else size // 2
    start = "" if earlier < size else keyset.place(before[above], order)
    found = keyset.page(rows, order, start, size)
    here = found.rows[above] if len(found.rows) > above else after.first() or before.first()
    return found, here.pk if here else None
