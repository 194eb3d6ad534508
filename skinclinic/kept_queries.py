"""Queries that every page asks, put together once a process.

Django puts a query together anew each time it is asked, which takes ten times as long as the database takes to answer
it. A function under ``@kept`` is called once for each form of its query, with stand-ins in place of values, and the SQL
that comes of it is kept; from then on only values are put in. What is kept has seen no value and so no clinic's rows;
the rows themselves are asked for each time.

The function gives a query set made of nothing but its arguments: keys, texts, days, lists of keys. What it is given by
name is no value but decides what the query looks like, such as whether answers are open; each form is kept of its own.
It must not look at values, nor ask the clock: ``Now()``, or a day that it is given.
"""

from collections.abc import Callable, Sequence
from copy import copy
from datetime import date, datetime
from functools import lru_cache, wraps
from typing import Any, ParamSpec, TypeVar

from django.core.exceptions import EmptyResultSet
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import QuerySet

P = ParamSpec("P")
R = TypeVar("R")

# In tests: how often each form is held against the query as Django puts it together for the values that are asked for.
checks = 0
_FIRST_STAND_IN = 8_765_432_100_000_000_000
# Of a list; a longer one is put together as always.
_LONGEST = 1_024
_MOST_FORMS = 256


def kept(build: Callable[P, QuerySet[Any, R]]) -> Callable[P, list[R]]:
    """Decorate a function that gives a query set; it gives the rows then."""

    @lru_cache(_MOST_FORMS)
    def form_of(_vendor: str, kinds: tuple[Any, ...], options: tuple[tuple[str, Any], ...]) -> _Form | None:
        try:
            return _Form(build, kinds, dict(options))
        except EmptyResultSet:
            return None

    @wraps(build)
    def rows(*args: Any, **options: Any) -> list[R]:
        values = [_filled_up(value) for value in args]
        kinds = tuple(map(_kind, values))
        form = None
        if None not in kinds:
            form = form_of(connections[DEFAULT_DB_ALIAS].vendor, kinds, tuple(sorted(options.items())))
        if form is None:
            return list(build(*args, **options))
        if form.checked < checks:
            form.check(build(*values, **options), values)
        return form.rows(values)

    return rows


class _Form:
    """A query with places for values."""

    def __init__(
        self, build: Callable[..., QuerySet[Any, Any]], kinds: tuple[Any, ...], options: dict[str, Any]
    ):
        self.checked = 0
        stand_ins = _stand_ins(kinds, 0)
        self.queryset, self.compiler, self.sql, self.params = _put_together(build, stand_ins, options)
        known = {_as_sent(value): number for number, value in enumerate(_flat(stand_ins))}
        # (place among the parameters, number of the value, what the database's driver is given of it)
        self.places: list[tuple[int, int, Callable[[Any], Any]]] = []
        for place, param in enumerate(self.params):
            if isinstance(param, int | str | date) and (number := known.get(param)) is not None:
                self.places.append((place, number, type(param) if isinstance(param, int) else _as_sent))
        # Of other values: only what was found may differ.
        others = _stand_ins(kinds, len(kinds))
        _rows, _compiler, sql, params = _put_together(build, others, options)
        if (sql, params) != (self.sql, list(self._params(others))):
            raise TypeError(f"{build.__qualname__}: its query does not hold each of its values as it is")

    def rows(self, values: Sequence[Any]) -> list[Any]:
        params = self._params(values)
        compiler: Any = copy(self.compiler)
        compiler.connection = connections[DEFAULT_DB_ALIAS]
        compiler.as_sql = lambda *_args, **_options: (self.sql, params)
        query: Any = copy(self.queryset.query)
        query.get_compiler = lambda *_args, **_options: compiler
        asked: Any = self.queryset.all()
        # Not ``query``, which would choose what kind of rows come.
        asked._query = query
        return list(asked)

    def check(self, queryset: QuerySet[Any, Any], values: Sequence[Any]) -> None:
        """Raise AssertionError where this is not the query that Django makes of these values."""
        self.checked += 1
        sql, params = queryset.query.get_compiler(DEFAULT_DB_ALIAS).as_sql()
        # In a list Django leaves out what stands in it twice.
        if not any(isinstance(value, list) and len(value) != len(set(value)) for value in values):
            assert (sql, tuple(params)) == (self.sql, self._params(values)), self.sql

    def _params(self, values: Sequence[Any]) -> tuple[Any, ...]:
        given, params = _flat(values), self.params.copy()
        for place, number, sent in self.places:
            params[place] = sent(given[number])
        return tuple(params)


def _kind(value: object) -> Any:
    """What a stand-in for the value must be: a type, or of a list its length; None where there is none for it."""
    if isinstance(value, list):
        return len(value) if 0 < len(value) <= _LONGEST else None
    if isinstance(value, int) and abs(value) >= 1 << 63:
        return None  # no column holds it
    return type(value) if type(value) in (int, str, date) else None


def _filled_up(value: Any) -> Any:
    """A list whose last value stands in it again until its length is a power of two: so there are few forms."""
    if isinstance(value, list) and value:
        return value + value[-1:] * ((1 << (len(value) - 1).bit_length()) - len(value))
    return value


def _put_together(
    build: Callable[..., QuerySet[Any, Any]], values: Sequence[Any], options: dict[str, Any]
) -> tuple[QuerySet[Any, Any], Any, str, list[Any]]:
    queryset = build(*values, **options)
    compiler = queryset.query.get_compiler(DEFAULT_DB_ALIAS)
    sql, params = compiler.as_sql()
    return queryset, compiler, sql, list(params)


def _stand_ins(kinds: tuple[Any, ...], first: int) -> list[Any]:
    """A value of each kind, counted from ``first``, that no other parameter is."""
    made: list[Any] = []
    for number, kind in enumerate(kinds, first):
        key = _FIRST_STAND_IN + number * _LONGEST
        if isinstance(kind, int):
            made.append([key + place for place in range(kind)])
        elif kind is date:
            made.append(date.fromordinal(number + 1))
        else:
            made.append(kind(key))
    return made


def _flat(values: Sequence[Any]) -> list[Any]:
    return [one for value in values for one in (value if isinstance(value, list) else [value])]


def _as_sent(value: Any) -> Any:
    """A value as it stands among the parameters of a query."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return connections[DEFAULT_DB_ALIAS].ops.adapt_datefield_value(value)
    return value
