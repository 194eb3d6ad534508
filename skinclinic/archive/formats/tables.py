"""Reading a table as people save it: commas, semicolons, tabs or upright strokes, in any encoding (``encodings``)."""

import csv
import io
import re
import unicodedata
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from skinclinic.archive.formats import encodings
from skinclinic.archive.formats.problems import Problem, TableRefused, _
from skinclinic.archive.formats.words.folding import fold
from skinclinic.web.csv_table import undefused

MOST_BYTES = 1024**3
MOST_ROWS = 1_000_000
MOST_COLUMNS = 500
LONGEST_CELL = 20_000
LONGEST_LINE = 1_000_000
LONGEST_NAME = 200
_FIRST_ROWS = 6
_DELIMITERS = (",", ";", "\t", "|")
_SEPARATOR = re.compile(r"\"?sep=(.)\"?", re.IGNORECASE)


class _Cell(NamedTuple):
    """What a cell says: its ``text`` as it stands, the ``value`` unless it has none, and what is ``wrong`` with it."""

    text: str
    value: str | None
    wrong: str = ""
    params: dict[str, Any] = {}


@dataclass(frozen=True)
class Record:
    """A row as text by column; ``problems`` were found while reading it."""

    number: int
    cells: dict[str, str]
    problems: tuple[Problem, ...] = ()


class Table:
    """A table on disk, read a row at a time: ``columns`` now, ``records()`` as often as wanted.

    ``encoding``: one of ``encodings.CANDIDATES``, where somebody has said which. Raises TableRefused, for what is only
    seen on the way also from ``records()``; encodings.NotCertain where letters could be read in several ways.
    """

    def __init__(self, path: Path, encoding: str = ""):
        self.path = path
        if path.stat().st_size > MOST_BYTES:
            raise TableRefused(_("The table is larger than 1 GB. Split it."))
        self.encoding = encodings.of(path, encoding)
        self._above = 0
        with self._open() as file:
            first = next(_lines(file), "")
            if match := _SEPARATOR.fullmatch(first.strip(" \r\n")):
                # A line that tells a spreadsheet program what parts the cells.
                self._above, first = 1, next(_lines(file), "")
        if not first.strip():
            raise TableRefused(_("The table is empty; its first row must name the columns."))
        self.delimiter = match[1] if match else self._parting(first)
        with self._open() as file:
            try:
                self.columns = [_composed(name).strip() for name in next(self._reader(file))]
            except csv.Error as error:
                raise TableRefused(
                    _("The first row, which names the columns, cannot be read (%(error)s)."), error=str(error)
                ) from None
        self._check_columns()
        # The columns of this very file; ``columns`` may have those of a second table besides.
        self.header = list(self.columns)
        # What columns without a name are called, of those that hold text; known when ``records`` has been read.
        self.nameless: dict[int, str] = {}

    def _check_columns(self) -> None:
        if len(self.columns) > MOST_COLUMNS:
            raise TableRefused(_("The table has more than %(most)s columns."), most=MOST_COLUMNS)
        named = [name for name in self.columns if name]
        if not named:
            raise TableRefused(_("The first row names no column."))
        if any("\0" in name or len(name) > LONGEST_NAME for name in named):
            raise TableRefused(
                _("A column's name is longer than %(most)s characters or holds a NUL byte. Is it a table?"),
                most=LONGEST_NAME,
            )
        if doubled := sorted({name for name in named if named.count(name) > 1}):
            raise TableRefused(
                _("These columns stand there twice: %(names)s. Rename or remove one."),
                names=", ".join(doubled),
            )

    def called(self, name: str) -> str | None:
        """The column of this name: to the letter, or the only one that differs in case, hyphens or underscores."""
        if name in self.columns:
            return name
        alike = self.alike(name)
        return alike[0] if len(alike) == 1 else None

    def alike(self, name: str) -> list[str]:
        """The columns whose names differ from this one by no more than ``called`` passes over."""
        return [column for column in self.columns if column and fold(column) == fold(name)]

    def needed(self, name: str) -> str:
        """The column of this name as ``called`` finds it. Raises TableRefused where there is none."""
        if (found := self.called(name)) is None:
            raise self.lacks([name])
        return found

    def require(self, *names: str) -> None:
        """Raise TableRefused unless all these columns are there."""
        if missing := [name for name in names if name not in self.columns]:
            raise self.lacks(missing)

    def lacks(self, names: list[str]) -> TableRefused:
        return TableRefused(
            _("These columns are missing: %(missing)s. The table has: %(there)s."),
            missing=", ".join(names),
            there=", ".join(filter(None, self.columns))[:600],
        )

    def records(self) -> Iterator[Record]:
        """The rows below the header; rows without any text are passed over."""
        with self._open() as file:
            reader = self._reader(file)
            next(reader)
            number = 1 + self._above
            while True:
                number += 1
                try:
                    cells = next(reader)
                except StopIteration:
                    return
                except csv.Error as error:
                    message = _("the row cannot be read (%(error)s); is a quote missing?")
                    yield Record(number, {}, (Problem("", message, params={"error": str(error)}),))
                    continue
                if number > MOST_ROWS + 1:
                    raise TableRefused(
                        _("The table has more than %(most)s rows. Split it."), most=f"{MOST_ROWS:,}"
                    )
                if any(cell.strip() for cell in cells):
                    yield self._record(number, cells)

    def _record(self, number: int, cells: list[str]) -> Record:
        problems = []
        if len(cells) != len(self.header):
            params = {"cells": len(cells), "columns": len(self.header)}
            problems.append(Problem("", _("%(cells)s cells, the header has %(columns)s"), params=params))
        values = {}
        for place, (name, cell) in enumerate(zip(self.header, cells, strict=False), start=1):
            found = _read(cell)
            name = name or self._nameless(place, found.text)
            if found.wrong and (name or found.value is None):
                problems.append(Problem(name, found.wrong, found.text, found.params))
            if name and found.value is not None:
                values[name] = found.value
        return Record(number, values, tuple(problems))

    def _nameless(self, place: int, cell: str) -> str:
        """What a column without a name is called where it holds text."""
        if cell.strip() and place not in self.nameless:
            name = f"column {place}"
            self.nameless[place] = name if name not in self.columns else f"{name} (no name)"
        return self.nameless.get(place, "")

    def _parting(self, first: str) -> str:
        """What parts the cells: of what gives the first rows as many cells as the header, what gives most."""
        counts = {delimiter: self._counts(delimiter) for delimiter in _DELIMITERS}

        def weight(delimiter: str) -> tuple[bool, int]:
            found = counts[delimiter]
            is_even = found[0] > 1 and len(set(found)) == 1
            return is_even, found[0] if is_even else first.count(delimiter)

        return max(_DELIMITERS, key=weight)

    def _counts(self, delimiter: str) -> list[int]:
        """How many cells the first rows have, up to one that cannot be read."""
        found = []
        with self._open() as file:
            rows = csv.reader(_lines(file), delimiter=delimiter, strict=True)
            with suppress(csv.Error):
                for cells in islice(rows, _FIRST_ROWS):
                    found += [len(cells)] if cells else []
        return found or [0]

    @property
    def more_columns(self) -> list[str]:
        """Columns with text that the header does not name, once ``records`` has been read."""
        return list(self.nameless.values())

    def _open(self) -> io.TextIOWrapper:
        return self.path.open(encoding=self.encoding, newline="")

    def _reader(self, file: io.TextIOWrapper) -> Iterator[list[str]]:
        # Strict: a quote that is never closed would swallow the rows below it without a word.
        lines = _lines(file)
        for _line in range(self._above):
            next(lines, "")
        return csv.reader(lines, delimiter=self.delimiter, strict=True)


# A long cell may take 20 kB.
@lru_cache(maxsize=2048)
def _read(cell: str) -> _Cell:
    """Most cells of a large table say one of few things."""
    text = _composed(cell)
    if "\0" in text:
        return _Cell(text, None, _("holds a NUL byte"))
    if len(text) > LONGEST_CELL:
        return _Cell(text, None, _("longer than %(most)s characters"), {"most": f"{LONGEST_CELL:,}"})
    bare = text.strip()
    # A formula defused on export has an apostrophe before it.
    value = bare if (plain := undefused(text)) is None else plain
    is_formula = bare[:1] in ("=", "@") or _is_formula(bare)
    return _Cell(text, value, _("a formula; save the table with values") if is_formula else "")


def _composed(text: str) -> str:
    """The same letters in their usual form: macOS writes 가 as ᄀ and ᅡ."""
    return unicodedata.normalize("NFC", text)


def _lines(file: io.TextIOBase) -> Iterator[str]:
    """The lines of a table, none of which may fill the memory."""
    number = 0
    while line := file.readline(LONGEST_LINE):
        number += 1
        if len(line) == LONGEST_LINE:
            raise TableRefused(
                _("Line %(number)s is longer than %(most)s characters. Is it a table?"),
                number=number,
                most=f"{LONGEST_LINE:,}",
            )
        yield line


def _is_formula(cell: str) -> bool:
    """Whether a cell beginning with + or - is more than a number."""
    return cell[:1] in ("+", "-") and len(cell) > 1 and "(" in cell and cell.endswith(")")
