"""Ratings of several tests by several readers, from a file."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import cast

import numpy as np

from reader_study.statistics import imrmc_file
from reader_study.statistics.problem_groups import RowProblem
from reader_study.statistics.reading import FileRefused, Reading, TablesRefused, named, number
from skinclinic.archive.formats.problems import CellError, Problem, _

AI = "AI"
# The rating of a test, a reader and a case.
Cells = dict[tuple[str, str, str], float]
_TRUTHS = {
    "1": True, "malignant": True, "yes": True, "true": True, "positive": True, "diseased": True, "abnormal": True,
    "0": False, "-1": False, "benign": False, "no": False, "false": False, "negative": False, "healthy": False,
    "normal": False,
}  # fmt: skip


@dataclass(frozen=True)
class Ratings:
    """``values`` [tests, readers, cases], NaN where there is none, and ``truth`` [cases]; names in the order in which
    they first occur. ``unrated``: cases of which the file has the truth and nothing else."""

    tests: tuple[str, ...]
    readers: tuple[str, ...]
    cases: tuple[str, ...]
    truth: np.ndarray
    values: np.ndarray
    unrated: tuple[str, ...] = ()

    @property
    def cells(self) -> np.ndarray:
        """What was rated [tests, readers, cases]."""
        rated: np.ndarray = ~np.isnan(self.values)
        return rated

    def rows(self) -> Iterator[tuple[str, str, str, float]]:
        """Test, reader, case and rating of each."""
        places = np.nonzero(self.cells)
        rated = self.values[places].astype(float).tolist()
        for test, reader, case, rating in zip(*(place.tolist() for place in places), rated, strict=True):
            yield self.tests[test], self.readers[reader], self.cases[case], rating


@dataclass(frozen=True)
class AiRatings:
    """One AI [cases] and several ``readers`` of one other ``test``, ``values`` [readers, cases]; NaN where there is
    no rating."""

    ai_test: str
    ai_reader: str
    ai: np.ndarray
    test: str
    readers: tuple[str, ...]
    cases: tuple[str, ...]
    truth: np.ndarray
    values: np.ndarray


@dataclass(frozen=True)
class AiAndTests:
    """One AI against each of several tests, and these among themselves."""

    against: tuple[AiRatings, ...]
    tests: Ratings


def read_ratings(path: Path, *, encoding: str = "") -> Ratings:
    """Read the columns ``test, reader, case, truth, rating``, or a file of iMRMC. Truth is 0 or 1, or a word for it.
    Readers may have rated any of the cases. ``encoding``: of a table that does not tell its own.

    Raises TablesRefused (row by row), FileRefused, OSError.
    """
    problems: list[RowProblem] = []
    is_imrmc = path.suffix.casefold() == imrmc_file.SUFFIX
    ratings: Cells = {}
    rows: dict[tuple[str, str, str], int] = {}
    shown_of: dict[str, bool] = {}
    truths: dict[str, tuple[bool, int]] = {}
    for row, key, shown, rating, say in (
        _of_imrmc(path, problems, shown_of) if is_imrmc else _of_table(path, problems, encoding)
    ):
        case = key[2]
        first, row_of_first = truths.setdefault(case, (shown, row))
        if first != shown:
            message = _("in row %(row)s this case has the truth %(other)s")
            say(Problem("truth", message, str(int(shown)), {"row": row_of_first, "other": int(first)}))
        if key in ratings:
            message = _("the same reader rated it for the same test in row %(row)s")
            say(Problem("case", message, case, {"row": rows[key]}))
        ratings[key], rows[key] = rating, row
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
    tests, readers = (tuple(dict.fromkeys(key[place] for key in ratings)) for place in (0, 1))
    values = np.array(
        [ratings.get((test, reader, case), np.nan) for test in tests for reader in readers for case in truths]
    )
    return Ratings(
        tests, readers, tuple(truths), truth, values.reshape(len(tests), len(readers), len(truths)),
        tuple(case for case in shown_of if case not in truths),
    )  # fmt: skip


Row = tuple[int, tuple[str, str, str], bool, float, Callable[[Problem], None]]


def _of_table(path: Path, problems: list[RowProblem], encoding: str) -> Iterator[Row]:
    reading = Reading(path, problems, ("test", "reader", "case", "truth", "rating"), encoding)
    for record in reading:
        test, reader, case = (reading.cell(name, named) or "" for name in ("test", "reader", "case"))
        shown, rating = reading.cell("truth", _truth), reading.cell("rating", reading.number)
        if not (reading.row_has_problems or shown is None or rating is None):
            yield record.number, (test, reader, case), shown, rating, reading.say


def _of_imrmc(path: Path, problems: list[RowProblem], truths: dict[str, bool]) -> Iterator[Row]:
    """``truths``: filled with those of all cases, rated or not."""
    rows: list[tuple[int, str, str, str, float]] = []

    def say(row: int, problem: Problem) -> None:
        problems.append(RowProblem(path.name, row, problem))

    try:
        for row, cells in imrmc_file.lines(path):
            if len(cells) != 4:
                say(
                    row,
                    Problem("", _("has not the four cells reader, case, test and score"), ",".join(cells)),
                )
                continue
            reader, case, test, score = cells
            try:
                value = number(score)
                if not imrmc_file.is_truth(reader, test):
                    rows.append((row, reader, case, test, value))
                elif truths.setdefault(case, _truth(score)) != _truth(score):
                    say(row, Problem("case", _("has another truth above"), case))
            except CellError as error:
                say(row, Problem("score", error.message, score, error.params))
    except ValueError:
        raise FileRefused(
            path, _("There is no line BEGIN DATA: with lines of reader, case, test and score below it.")
        ) from None
    for row, reader, case, test, value in rows:
        if case not in truths:
            say(row, Problem("case", _("has no line of the truth"), case))
        else:
            yield row, (test, reader, case), truths[case], value, partial(say, row)


def arranged(ratings: Ratings) -> Ratings | AiRatings | AiAndTests:
    """A test named AI with one reader who is none of the others is held against the readers of each other test."""
    rated: np.ndarray = np.asarray(ratings.cells.any(2))
    ai = next(
        (place for place, test in enumerate(ratings.tests) if test.upper() == AI and rated[place].sum() == 1),
        None,
    )
    if ai is None or len(ratings.tests) == 1:
        return ratings
    (machine,) = np.flatnonzero(rated[ai])
    others = [place for place in range(len(ratings.tests)) if place != ai]
    if any(rated[place, machine] for place in others):
        return ratings
    against = tuple(
        AiRatings(
            ratings.tests[ai],
            ratings.readers[machine],
            ratings.values[ai, machine],
            ratings.tests[place],
            tuple(name for name, has in zip(ratings.readers, rated[place], strict=True) if has),
            ratings.cases,
            ratings.truth,
            ratings.values[place][rated[place]],
        )
        for place in others
    )
    if len(against) == 1:
        return against[0]
    people = np.arange(len(ratings.readers)) != machine
    between = Ratings(
        tuple(ratings.tests[place] for place in others),
        tuple(name for name, is_kept in zip(ratings.readers, people, strict=True) if is_kept),
        ratings.cases,
        ratings.truth,
        ratings.values[others][:, people],
    )
    return AiAndTests(against, between)


def _truth(text: str) -> bool:
    shown = _TRUTHS.get(text.casefold())
    if shown is None:
        try:
            shown = {0: False, -1: False, 1: True}.get(cast(int, number(text)))
        except CellError:
            shown = None
    if shown is None:
        raise CellError(_("is neither 0 nor 1, nor a word such as benign and malignant, no and yes"))
    return shown
