"""Pages by key: as quick on page 2,000 as on page 1, and steady while rows arrive.

An order is a list of names of fields or annotations as ``order_by`` takes them, the last one unique, none of them
null. A cursor says after (or before) which row a page begins; it goes into the address and is never trusted.
"""

import base64
import binascii
import json
import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from typing import Generic, TypeVar, overload

from django.core.exceptions import ValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Field, Model, Q, QuerySet

from skinclinic.models.columns import field_of
from skinclinic.web.inputs import LARGEST_KEY, storable

M = TypeVar("M", bound=Model)
AFTER, BEFORE = "a", "b"
_PARTS_PASSED_OVER = 50


class BadCursor(ValueError):
    """The cursor was not made by ``page`` for this order."""


@dataclass(frozen=True)
class Page(Generic[M]):
    """Rows in their order, and the cursors of the pages around them ("" where there is none)."""

    rows: list[M]
    previous: str
    next: str


class KeysInParts(Sequence[int]):
    """Keys of rows, lowest first, of which only the parts that are asked for are read. ``parts``: the first key of each
    and how many it has; ``read`` gives the keys of the part with this number, from 0."""

    def __init__(self, parts: Sequence[tuple[int, int]], read: Callable[[int], Sequence[int]]):
        self.parts = parts
        self._read = cache(read)
        # Before each part there are so many.
        self._before = list(accumulate((count for _first, count in parts), initial=0))

    def __len__(self) -> int:
        return self._before[-1]

    @overload
    def __getitem__(self, index: int) -> int: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[int]: ...
    def __getitem__(self, index: int | slice) -> int | Sequence[int]:
        if isinstance(index, int):
            return self[index : index + 1][0]
        start, end, step = index.indices(len(self))
        found: list[int] = []
        for number in range(bisect_right(self._before, start) - 1, len(self.parts)):
            if (before := self._before[number]) >= end:
                break
            found += self._read(number)[max(start - before, 0) : end - before]
        return found[::step]

    def around(self, key: int) -> tuple[int, int]:
        """Where the part begins and ends that holds the key, or would."""
        number = max(bisect_right(self.parts, key, key=lambda part: part[0]) - 1, 0)
        return self._before[number], self._before[min(number + 1, len(self.parts))]


def page(queryset: QuerySet[M], order: Sequence[str], cursor: str, size: int) -> Page[M]:
    """Return the page of ``size`` rows at ``cursor`` ("" for the first). Raises BadCursor.

    One query. The first page has no previous cursor, even if rows arrive later.
    """
    if not cursor:
        return first_page(list(queryset.order_by(*order)[: size + 1]), order, size)
    side, key = _read(cursor, queryset, order)
    if side == AFTER:
        rows = list(queryset.filter(_beyond(order, key)).order_by(*order)[: size + 1])
        return _page(rows[:size], order, has_previous=True, has_next=len(rows) > size)
    backwards = [_turned(name) for name in order]
    rows = list(queryset.filter(_beyond(backwards, key)).order_by(*backwards)[: size + 1])
    return _page(rows[:size][::-1], order, has_previous=len(rows) > size, has_next=True)


def first_page(rows: list[M], order: Sequence[str], size: int) -> Page[M]:
    """The first page, of rows in their order that are at hand: one more than ``size`` where there are further ones."""
    return _page(rows[:size], order, has_previous=False, has_next=len(rows) > size)


def page_of_keys(queryset: QuerySet[M], keys: Sequence[int], cursor: str, size: int) -> Page[M]:
    """The same of rows whose keys are all known, lowest first: nothing is looked for. Rows that are gone are passed
    over, up to some thousands. Raises BadCursor."""
    start = 0
    if cursor:
        side, (key,) = _read(cursor, queryset, ("id",))
        within = keys.around(key) if isinstance(keys, KeysInParts) else (0, len(keys))
        start = (
            bisect_right(keys, key, *within)
            if side == AFTER
            else max(bisect_left(keys, key, *within) - size, 0)
        )
    rows: list[M] = []
    end = start
    for _part in range(_PARTS_PASSED_OVER):
        part = keys[end : end + size]
        there = queryset.in_bulk(part)
        for key in part:
            end += 1
            if key in there:
                rows.append(there[key])
            if len(rows) == size:
                break
        if len(rows) == size or end >= len(keys):
            break
    return _page(rows, ("id",), has_previous=start > 0, has_next=end < len(keys))


def place(row: Model, order: Sequence[str]) -> str:
    """The cursor of a row's own place in an order; it stays there when the row leaves the list."""
    return _write(AFTER, row, order)


def sides(queryset: QuerySet[M], order: Sequence[str], cursor: str) -> tuple[QuerySet[M], QuerySet[M]]:
    """The rows before and after a place, each beginning with the nearest. Raises BadCursor."""
    _side, key = _read(cursor, queryset, order)
    backwards = [_turned(name) for name in order]
    before = queryset.filter(_beyond(backwards, key)).order_by(*backwards)
    return before, queryset.filter(_beyond(order, key)).order_by(*order)


def _page(rows: list[M], order: Sequence[str], *, has_previous: bool, has_next: bool) -> Page[M]:
    return Page(
        rows,
        previous=_write(BEFORE, rows[0], order) if rows and has_previous else "",
        next=_write(AFTER, rows[-1], order) if rows and has_next else "",
    )


def _turned(name: str) -> str:
    return name.removeprefix("-") if name.startswith("-") else f"-{name}"


def _beyond(order: Sequence[str], key: Sequence) -> Q:
    """Rows that come after ``key``; the first field's bound stands alone, so that an index serves it."""
    condition = Q()
    for name, value in reversed(list(zip(order, key, strict=True))):
        field, step = name.removeprefix("-"), "lt" if name.startswith("-") else "gt"
        further = Q(**{f"{field}__{step}": value})
        condition = Q(**{f"{field}__{step}e": value}) & (further | condition) if condition else further
    return condition


def _write(side: str, row: Model, order: Sequence[str]) -> str:
    key = [getattr(row, name.removeprefix("-")) for name in order]
    # Microseconds count: DjangoJSONEncoder would cut them.
    key = [value.isoformat() if hasattr(value, "isoformat") else value for value in key]
    text = json.dumps([side, *key], cls=DjangoJSONEncoder, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read(cursor: str, queryset: QuerySet, order: Sequence[str]) -> tuple[str, list]:
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        side, *key = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, TypeError, binascii.Error, RecursionError):
        raise BadCursor(cursor) from None
    if side not in (AFTER, BEFORE) or len(key) != len(order):
        raise BadCursor(cursor)
    return side, [_checked(queryset, name, value) for name, value in zip(order, key, strict=True)]


def _checked(queryset: QuerySet, name: str, value):
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise BadCursor(name)
    try:
        value = _column(queryset, name.removeprefix("-")).to_python(value)
    except (ValidationError, ValueError, TypeError, OverflowError):
        raise BadCursor(name) from None
    if value is None or (isinstance(value, int) and abs(value) > LARGEST_KEY):
        raise BadCursor(name)
    if isinstance(value, float) and not math.isfinite(value):
        raise BadCursor(name)
    if isinstance(value, str) and not storable(value):
        raise BadCursor(name)
    return value


def _column(queryset: QuerySet, name: str) -> Field:
    annotated = queryset.query.annotations.get(name)
    return field_of(queryset.model, name) if annotated is None else annotated.output_field
