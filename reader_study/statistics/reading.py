"""Reading the CSV files of a study: every problem with its file and row."""

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from skinclinic.archive.formats.problems import CellError, Problem, TableRefused, _
from skinclinic.archive.formats.tables import Record, Table

T = TypeVar("T")
LONGEST_NAME = 200
MOST_SHOWN = 30
# Values and rows named of problems that are the same.
MOST_VALUES, MOST_ROWS = 3, 20
# Columns that some files have.
OPTIONAL = (
    "sex", "age", "skin_type", "patient", "second", "confidence", "seconds", "first_answer", "reached", "kind",
    "management", "quality", "comment",
)  # fmt: skip
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


@dataclass(frozen=True)
class RowProblem:
    """What is wrong in a row of a file, as a spreadsheet numbers it (the header is row 1)."""

    file: str
    row: int
    problem: Problem

    def __str__(self) -> str:
        problem = self.problem
        place = f", {problem.column}" if problem.column else ""
        value = f" {problem.value[:80]!r}" if problem.value else ""
        return f"{self.file}, row {self.row}{place}{value}: {problem.message % problem.params}"


class TablesRefused(ValueError):
    """The tables cannot be used; ``problems`` says why, row by row."""

    def __init__(self, problems: Sequence[RowProblem]):
        self.problems = tuple(problems)
        lines = list(_grouped(self.problems))
        if len(lines) > MOST_SHOWN:
            lines = [*lines[:MOST_SHOWN], f"and {len(lines) - MOST_SHOWN} more kinds of problems"]
        super().__init__("\n".join(lines))


def _grouped(problems: Sequence[RowProblem]) -> Iterator[str]:
    """Problems that are the same but for their rows and values, a line together."""
    groups: dict[tuple[str, str, str], list[RowProblem]] = {}
    for one in problems:
        said = one.problem.message % one.problem.params
        groups.setdefault((one.file, one.problem.column, said), []).append(one)
    for (file, column, said), found in groups.items():
        if len(found) == 1:
            yield str(found[0])
            continue
        place = f", {column}" if column else ""
        values = list(dict.fromkeys(repr(one.problem.value[:80]) for one in found if one.problem.value))
        shown = (
            f" {', '.join(values[:MOST_VALUES])}{' …' if len(values) > MOST_VALUES else ''}" if values else ""
        )
        rows = ", ".join(str(one.row) for one in found[:MOST_ROWS]) + (" …" if len(found) > MOST_ROWS else "")
        yield f"{file}{place}{shown}: {said} ({len(found)} rows: {rows})"


class FileRefused(TableRefused):
    """``file`` as a whole cannot be used; ``message`` and ``params`` say why."""

    def __init__(self, path: Path, message: str, **params: object):
        super().__init__(message, **params)
        self.file = path.name

    def __str__(self) -> str:
        return f"{self.file}: {super().__str__()}"


class Reading:
    """The records of a file; ``cell`` reads one of the current record and notes what is wrong with it."""

    def __init__(self, path: Path, problems: list[RowProblem], columns: tuple[str, ...]):
        self.path, self.problems = path, problems
        try:
            self.table = Table(path)
            self.columns = self._columns(columns)
        except TableRefused as refused:
            raise FileRefused(path, refused.message, **refused.params) from None
        self.record = Record(0, {})
        # Where semicolons part the cells, a comma within a number can only be that of its decimals.
        self.has_decimal_commas = self.table.delimiter == ";"
        self.found = 0
        self.notes: dict[tuple[str, str, str], int] = {}
        self.row_has_problems = False

    def _columns(self, needed: tuple[str, ...]) -> dict[str, str]:
        """{name: the table's column of that name}, in any case; two of them are refused."""
        alike = {name: self.table.alike(name) for name in (*needed, *OPTIONAL)}
        if doubled := sorted(name for name, found in alike.items() if len(found) > 1):
            raise TableRefused(
                _("These columns stand there twice: %(names)s. Rename or remove one."),
                names=", ".join(doubled),
            )
        if missing := [name for name in needed if not alike[name]]:
            raise self.table.lacks(missing)
        return {name: found[0] for name, found in alike.items() if found}

    def number(self, text: str) -> float:
        """A number, with a decimal comma where that is certain."""
        if self.has_decimal_commas and text.count(",") == 1 and "." not in text:
            text = text.replace(",", ".")
        return number(text)

    def __iter__(self) -> Iterator[Record]:
        try:
            for record in self.table.records():
                self.record, self.row_has_problems = record, False
                for problem in record.problems:
                    self.say(problem)
                yield record
        except TableRefused as refused:
            raise FileRefused(self.path, refused.message, **refused.params) from None

    def cell_or_note(self, column: str, read: Callable[[str], T]) -> T | None:
        """As ``cell``, but a value that cannot be read is only noted: the column makes no more than subgroups."""
        name = self.columns.get(column, "")
        if (text := self.record.cells.get(name)) is None:
            return None
        try:
            return read(text)
        except CellError as error:
            key = (name, text[:80], error.message % error.params)
            self.notes[key] = self.notes.get(key, 0) + 1
            return None

    def noted(self) -> list[str]:
        """What was taken as not known, a line for each word."""
        return [
            f"{self.path.name}, {column} {word!r}: {why}; taken as not known ({count} rows)"
            for (column, word, why), count in self.notes.items()
        ]

    def say(self, problem: Problem) -> None:
        self.problems.append(RowProblem(self.path.name, self.record.number, problem))
        self.found += 1
        self.row_has_problems = True

    def cell(self, column: str, read: Callable[[str], T]) -> T | None:
        """The value in this column; None with a problem noted, or where there is no such column."""
        name = self.columns.get(column, "")
        text = self.record.cells.get(name)
        if text is None:
            return None
        try:
            return read(text)
        except CellError as error:
            self.say(Problem(name, error.message, text, error.params))
            return None


def named(text: str) -> str:
    if not text:
        raise CellError(_("is empty"))
    return word(text)


def word(text: str) -> str:
    if len(text) > LONGEST_NAME:
        raise CellError(_("longer than %(most)s characters"), most=LONGEST_NAME)
    return text


def number(text: str) -> float:
    # float() would also read nan, 1_0 and other scripts' digits.
    value = float(text) if _NUMBER.fullmatch(text) else math.nan
    if not math.isfinite(value):
        raise CellError(_("is not a number"))
    return value
