"""Many cases in one test: like parametrize, but what the test needs is made once for all of them.

::

    @each("path", TEMPLATES)
    def test_templates_compile(path): ...

Every case is a subtest: a failing one is reported by its values and the others still run. What it does to the database
is undone, rows among the test's arguments are handed to it anew, and ``tmp_path`` is a folder of its own; the home's
files, settings and signed-in clients stay as it leaves them. Where those matter, use parametrize.
"""

import copy
import functools
import inspect
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from dataclasses import is_dataclass
from itertools import product
from types import SimpleNamespace

from django.db import models, transaction


def each(names: str | tuple[str, ...], values: Iterable) -> Callable:
    """Run a test for each of ``values``; several decorators give every combination."""
    names = tuple(name.strip() for name in names.split(",")) if isinstance(names, str) else tuple(names)
    cases = [dict(zip(names, value if len(names) > 1 else (value,), strict=True)) for value in values]

    def decorate(test: Callable) -> Callable:
        body, inner = getattr(test, "of_one_case", (test, [{}]))
        together = [outer | more for outer, more in product(cases, inner)]

        @functools.wraps(body)
        def all_cases(*args, subtests, request, **fixtures):
            on_database = request.node.get_closest_marker("database")
            for number, case in enumerate(together):
                with subtests.test(**case), undone() if on_database else nullcontext():
                    body(*args, **_anew(fixtures, number), **case)

        all_cases.of_one_case = (body, together)
        all_cases.__signature__ = _without(body, together[0])
        return all_cases

    return decorate


def cases_of(test: Callable | None) -> list[dict]:
    """The cases of a test that was decorated, or none."""
    return getattr(test, "of_one_case", (test, []))[1]


def undone() -> transaction.Atomic:
    """A part of a test whose changes to the database are undone at its end."""

    class Undone(transaction.Atomic):
        def __exit__(self, *problem):
            if transaction.get_connection().is_usable():
                transaction.set_rollback(True)
            super().__exit__(*problem)

    undone = Undone(using=None, savepoint=True, durable=False)
    # Product code may ask for a transaction of its own inside it, as in any test.
    undone._from_testcase = True
    return undone


def _anew(fixtures: dict, number: int) -> dict:
    """The fixtures as the first case was given them."""
    rows = {name: value for name, value in fixtures.items() if _holds_rows(value)}
    fresh = fixtures | copy.deepcopy(rows)
    if "tmp_path" in fixtures:
        fresh["tmp_path"] = fixtures["tmp_path"] / f"case-{number}"
        fresh["tmp_path"].mkdir()
    return fresh


def _holds_rows(value) -> bool:
    return isinstance(value, models.Model | list | dict | SimpleNamespace) or is_dataclass(value)


def _without(test: Callable, case: dict) -> inspect.Signature:
    """The signature by which pytest knows the fixtures of a test."""
    signature = inspect.signature(test)
    left = [one for name, one in signature.parameters.items() if name not in case]
    known = {one.name for one in left}
    more = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY)
        for name in ("subtests", "request")
        if name not in known
    ]
    return signature.replace(parameters=[*left, *more])
