"""Reading a table as people save it: UTF-8 with or without a mark, CP949, commas, semicolons or tabs."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

MOST_BYTES = 1024**3
MOST_ROWS = 1_000_000
MOST_COLUMNS = 500
LONGEST_CELL = 20_000
_ENCODINGS = ("utf-8-sig", "cp949")
_DELIMITERS = (",", ";", "\t")


class TableRefused(ValueError):
    """The table as a whole cannot be read; the message says why and what to do."""


@dataclass(frozen=True)
class Record:
    """A row as text by column; ``problems`` are (column, message) found while reading it."""

    number: int
    cells: dict[str, str]
    problems: tuple[tuple[str, str], ...] = ()


class Table:
    """A table on disk, read a row at a time: ``columns`` now, ``records()`` as often as wanted."""

    def __init__(self, path: Path):
        self.path = path
        if path.stat().st_size > MOST_BYTES:
            raise TableRefused("The table is larger than 1 GB. Split it.")
        self.encoding = _encoding(path)
        with self._open() as file:
            first = file.readline(1_000_000)
        if not first.strip():
            raise TableRefused("The table is empty; its first row must name the columns.")
        self.delimiter = max(_DELIMITERS, key=first.count)
        with self._open() as file:
            self.columns = [name.strip() for name in next(self._reader(file))]
        if len(self.columns) > MOST_COLUMNS:
            raise TableRefused(f"The table has more than {MOST_COLUMNS} columns.")
        named = [name for name in self.columns if name]
        if doubled := sorted({name for name in named if named.count(name) > 1}):
            raise TableRefused(
                f"These columns stand there twice: {', '.join(doubled)}. Rename or remove one."
            )

    def require(self, *names: str) -> None:
        """Raise TableRefused unless all these columns are there."""
        if missing := [name for name in names if name not in self.columns]:
            raise TableRefused(
                f"These columns are missing: {', '.join(missing)}. "
                f"The table has: {', '.join(filter(None, self.columns))[:600]}."
            )

    def records(self) -> Iterator[Record]:
        """The rows below the header; rows without any text are passed over."""
        with self._open() as file:
            reader = self._reader(file)
            next(reader)
            number = 1
            while True:
                number += 1
                try:
                    cells = next(reader)
                except StopIteration:
                    return
                except csv.Error as error:
                    yield Record(number, {}, (("", f"cannot be read ({error})"),))
                    continue
                if number > MOST_ROWS + 1:
                    raise TableRefused(f"The table has more than {MOST_ROWS:,} rows. Split it.")
                if any(cell.strip() for cell in cells):
                    yield self._record(number, cells)

    def _record(self, number: int, cells: list[str]) -> Record:
        problems = []
        if len(cells) != len(self.columns):
            problems.append(("", f"has {len(cells)} cells, the header {len(self.columns)}"))
        values = {}
        for name, cell in zip(self.columns, cells, strict=False):
            if "\0" in cell:
                problems.append((name, "holds a NUL byte"))
            elif len(cell) > LONGEST_CELL:
                problems.append((name, f"is longer than {LONGEST_CELL:,} characters"))
            elif name:
                # A formula defused on export has an apostrophe before it.
                values[name] = cell[1:] if cell[:1] == "'" and cell[1:2] in "=+-@\t\r" else cell.strip()
                if cell.strip()[:1] in ("=", "@") or _is_formula(cell.strip()):
                    problems.append((name, "is a formula; save the table with values"))
        return Record(number, values, tuple(problems))

    def _open(self) -> io.TextIOBase:
        return self.path.open(encoding=self.encoding, newline="")

    def _reader(self, file):
        return csv.reader(file, delimiter=self.delimiter)


def _is_formula(cell: str) -> bool:
    """Whether a cell beginning with + or - is more than a number."""
    return cell[:1] in ("+", "-") and len(cell) > 1 and "(" in cell and cell.endswith(")")


def _encoding(path: Path) -> str:
    """The encoding that reads the whole file. Raises TableRefused."""
    with path.open("rb") as file:
        if file.read(4)[:2] in (b"\xff\xfe", b"\xfe\xff", b"PK", b"\xd0\xcf"):
            raise TableRefused("This is a spreadsheet or UTF-16 text. Save it as CSV (UTF-8).")
    for encoding in _ENCODINGS:
        try:
            with path.open(encoding=encoding, newline="") as file:
                while file.read(1 << 20):
                    pass
            return encoding
        except UnicodeDecodeError:
            continue
    raise TableRefused("The table is neither UTF-8 nor CP949 text. Save it as CSV (UTF-8).")
