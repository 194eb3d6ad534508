"""Reading the CSV files of a study: every problem with its file and row."""

import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from reader_study.statistics import read_as
from reader_study.statistics.disease_words import UnknownDisease
from reader_study.statistics.problem_groups import RowProblem, grouped
from reader_study.statistics.read_as import Note
from skinclinic.archive.formats import encodings
from skinclinic.archive.formats.problems import CellError, Problem, TableRefused, _
from skinclinic.archive.formats.tables import Record, Table

T = TypeVar("T")
LONGEST_NAME = 200
MOST_SHOWN = 30
# Of columns that are not read, of words that are not understood.
MOST_COLUMNS, MOST_WORDS = 12, 8
# What a word was meant to be that can be explained (``Problem.meant``).
LABEL = "label"
# Columns that some files have.
OPTIONAL = (
    "sex", "age", "skin_type", "patient", "second", "confidence", "seconds", "first_answer", "reached", "kind",
    "management", "quality", "comment",
)  # fmt: skip
_NUMBER = re.compile(r"[+-]?([0-9]+(?:\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")


class TablesRefused(ValueError):
    """The tables cannot be used; ``problems`` says why, row by row."""

    def __init__(self, problems: Sequence[RowProblem]):
        self.problems = tuple(problems)
        lines = list(map(str, grouped(self.problems)))
        if len(lines) > MOST_SHOWN:
            lines = [*lines[:MOST_SHOWN], f"and {len(lines) - MOST_SHOWN} more kinds of problems"]
        super().__init__("\n".join(lines))


class FileRefused(TableRefused):
    """``file`` as a whole cannot be used; ``message`` and ``params`` say why."""

    def __init__(self, path: Path, message: str, **params: object):
        super().__init__(message, **params)
        self.file = path.name

    def __str__(self) -> str:
        return f"{self.file}: {super().__str__()}"


class FileInDoubt(FileRefused):
    """Its letters can be read in several ways; ``samples``: {encoding: what some cells become}."""

    def __init__(self, path: Path, refused: encodings.NotCertain):
        super().__init__(path, refused.message, **refused.params)
        self.samples = refused.samples

    def __str__(self) -> str:
        ways = (
            f"  --encoding {key} ({encodings.CANDIDATES[key]}): {' | '.join(cells)}"
            for key, cells in self.samples.items()
        )
        return "\n".join([super().__str__(), *ways])


class Reading:
    """The records of a file; ``cell`` reads one of the current record and notes what is wrong with it.

    ``encoding``: what somebody has said, for a file that does not tell by itself how it is read.
    """

    def __init__(self, path: Path, problems: list[RowProblem], columns: tuple[str, ...], encoding: str = ""):
        self.path, self.problems = path, problems
        try:
            self.table = Table(path, encodings.where_in_doubt(path, encoding))
            self.columns = self._columns(columns)
        except encodings.NotCertain as refused:
            raise FileInDoubt(path, refused) from None
        except TableRefused as refused:
            raise FileRefused(path, refused.message, **refused.params) from None
        self.record = Record(0, {})
        # Where no commas part the cells, one within a number can only be that of its decimals.
        self.has_decimal_commas = self.table.delimiter != ","
        self.found = 0
        self.notes: dict[tuple[str, str], tuple[CellError, Counter[str]]] = {}
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
        if not self.has_decimal_commas and text.count(",") == 1 and is_number(text.replace(",", ".")):
            raise CellError(
                _(
                    "is not a number: where commas part the cells, write decimals with a point, or part with semicolons"
                )
            )
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
            _first, words = self.notes.setdefault((name, error.message), (error, Counter()))
            words[text[:80]] += 1
            return None

    def noted(self) -> list[Note]:
        """What was taken as not known, a column in a line, letters that are not UTF-8, and columns nobody asked for."""
        found = [
            Note(
                read_as.UNREAD,
                {
                    "file": self.path.name, "column": column, "words": _named_words(words),
                    "count": words.total(), "why": {"message": error.message, "params": error.params},
                },
                is_doubt=True,
            )
            for (column, _message), (error, words) in self.notes.items()
        ]  # fmt: skip
        if (encoding := self.table.encoding) != encodings.UTF_8:
            name = encodings.CANDIDATES.get(encoding, encoding.upper())
            found.append(Note(read_as.ENCODING, {"file": self.path.name, "encoding": name}))
        used = set(self.columns.values())
        names = [name for name in self.table.columns if name and name not in used] + self.table.more_columns
        if names:
            said = ", ".join(names[:MOST_COLUMNS]) + (" …" if len(names) > MOST_COLUMNS else "")
            found.append(Note(read_as.COLUMNS_UNREAD, {"file": self.path.name, "names": said}))
        return found

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
            meant = LABEL if isinstance(error, UnknownDisease) else ""
            self.say(Problem(name, error.message, text, error.params, meant))
            return None


def _named_words(words: Counter[str]) -> str:
    """The frequent ones, in quotes."""
    said = ", ".join(f"“{word}”" for word, _count in words.most_common(MOST_WORDS))
    return said + (" …" if len(words) > MOST_WORDS else "")


def named(text: str) -> str:
    if not text:
        raise CellError(_("is empty"))
    return word(text)


def word(text: str) -> str:
    if len(text) > LONGEST_NAME:
        raise CellError(_("longer than %(most)s characters"), most=LONGEST_NAME)
    return text


def number(text: str) -> float:
    if not is_number(text):
        raise CellError(_("is not a number"))
    return float(text)


def is_number(text: str) -> bool:
    # float() would also read nan, 1_0 and other scripts' digits.
    return bool(_NUMBER.fullmatch(text)) and math.isfinite(float(text))
