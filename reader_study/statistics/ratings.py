"""Ratings of several tests by several readers, from a file."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from reader_study.statistics.reading import FileRefused, Reading, RowProblem, TablesRefused, named, number
from skinclinic.archive.formats.problems import CellError, Problem, _

AI = "AI"
# The rating of a test, a reader and a case.
Cells = dict[tuple[str, str, str], float]
_SHOWN = 5


@dataclass(frozen=True)
class Ratings:
    """``values`` [tests, readers, cases] and ``truth`` [cases]; names in the order in which they first occur."""

    tests: tuple[str, ...]
    readers: tuple[str, ...]
    cases: tuple[str, ...]
    truth: np.ndarray
    values: np.ndarray


@dataclass(frozen=True)
class AiRatings:
    """One AI [cases] and several ``readers`` of one other ``test``, ``values`` [readers, cases]."""

    ai_test: str
    ai_reader: str
    ai: np.ndarray
    test: str
    readers: tuple[str, ...]
    truth: np.ndarray
    values: np.ndarray


@dataclass(frozen=True)
class AiAndTests:
    """One AI against each of several tests, and these among themselves; None where their readers are not the same."""

    against: tuple[AiRatings, ...]
    tests: Ratings | None


def read_ratings(path: Path) -> Ratings | AiRatings | AiAndTests:
    """Read the columns ``test, reader, case, truth, rating``; truth is 0 or 1, every reader rated every case in
    every test. A test named AI with one reader who is none of the others gives AiRatings beside one other test,
    AiAndTests beside several.

    Raises TablesRefused (row by row), FileRefused, OSError.
    """
    problems: list[RowProblem] = []
    reading = Reading(path, problems, ("test", "reader", "case", "truth", "rating"))
    ratings: dict[tuple[str, str, str], float] = {}
    rows: dict[tuple[str, str, str], int] = {}
    truths: dict[str, tuple[bool, int]] = {}
    for record in reading:
        test, reader, case = (reading.cell(name, named) or "" for name in ("test", "reader", "case"))
        shown, rating = reading.cell("truth", _truth), reading.cell("rating", reading.number)
        if reading.row_has_problems or shown is None or rating is None:
            continue
        first, row = truths.setdefault(case, (shown, record.number))
        if first != shown:
            message = _("in row %(row)s this case has the truth %(other)s")
            reading.say(Problem("truth", message, str(int(shown)), {"row": row, "other": int(first)}))
        key = (test, reader, case)
        if key in ratings:
            reading.say(
                Problem(
                    "case",
                    _("the same reader rated it for the same test in row %(row)s"),
                    case,
                    {"row": rows[key]},
                )
            )
        ratings[key], rows[key] = rating, record.number
    if problems:
        raise TablesRefused(problems)
    if not ratings:
        raise FileRefused(path, _("There is no row below the names of the columns."))
    truth = np.array([truth for truth, _row in truths.values()])
    for name, count in (("1", int(truth.sum())), ("0", int((~truth).sum()))):
        if count < 2:
            raise FileRefused(
                path,
                _("There are %(count)s cases with the truth %(truth)s; two are needed for a variance."),
                count=count,
                truth=name,
            )
    return _arranged(path, ratings, tuple(truths), truth)


def _arranged(
    path: Path, ratings: Cells, cases: tuple[str, ...], truth: np.ndarray
) -> Ratings | AiRatings | AiAndTests:
    readers_of: dict[str, list[str]] = {}
    for test, reader, _case in ratings:
        readers = readers_of.setdefault(test, [])
        if reader not in readers:
            readers.append(reader)
    tests = tuple(readers_of)
    ai = next((test for test in tests if test.upper() == AI and len(readers_of[test]) == 1), None)
    others = [test for test in tests if test != ai]
    if ai is not None and others and all(readers_of[ai] != readers_of[test] for test in others):
        (of_ai,) = _filled(path, ratings, [ai], readers_of[ai], cases)[0]
        against = []
        for test in others:
            (values,) = _filled(path, ratings, [test], readers_of[test], cases)
            against.append(
                AiRatings(ai, readers_of[ai][0], of_ai, test, tuple(readers_of[test]), truth, values)
            )
        if len(against) == 1:
            return against[0]
        readers = readers_of[others[0]]
        are_same = all(set(readers_of[test]) == set(readers) for test in others)
        values = _filled(path, ratings, others, readers, cases) if are_same else None
        between = None if values is None else Ratings(tuple(others), tuple(readers), cases, truth, values)
        return AiAndTests(tuple(against), between)
    everyone = tuple(dict.fromkeys(reader for _test, reader, _case in ratings))
    return Ratings(tests, everyone, cases, truth, _filled(path, ratings, tests, everyone, cases))


def _filled(
    path: Path, ratings: Cells, tests: Sequence[str], readers: Sequence[str], cases: Sequence[str]
) -> np.ndarray:
    """Ratings as an array. FileRefused where a cell is empty."""
    keys = [(test, reader, case) for test in tests for reader in readers for case in cases]
    if lacking := [key for key in keys if key not in ratings]:
        raise FileRefused(
            path,
            _(
                "Every reader must have rated every case in every test; %(count)s of %(of)s ratings are missing: "
                "%(names)s. Missing by test and reader: %(readers)s. Nothing is computed, for what is missing is "
                "neither a rating nor a case less; readers who have read different cases are not supported here."
            ),
            count=len(lacking),
            of=len(keys),
            names="; ".join(
                f"test {test}, reader {reader}, case {case}" for test, reader, case in lacking[:_SHOWN]
            )
            + ("; …" if len(lacking) > _SHOWN else ""),
            readers=_by_reader(lacking),
        )
    values = np.array([ratings[key] for key in keys])
    return values.reshape(len(tests), len(readers), len(cases))


def _by_reader(lacking: Sequence[tuple[str, str, str]]) -> str:
    counts = Counter((test, reader) for test, reader, _case in lacking)
    said = [f"{test}, {reader}: {count}" for (test, reader), count in counts.most_common(2 * _SHOWN)]
    return "; ".join(said) + ("; …" if len(counts) > len(said) else "")


def _truth(text: str) -> bool:
    try:
        value = number(text)
    except CellError:
        value = None
    if value not in (0, 1):
        raise CellError(_("is neither 0 nor 1"))
    return value == 1
