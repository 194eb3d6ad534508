"""Tables that a spreadsheet opens as they are: UTF-8 with a mark, and no cell that it takes for a formula. Pure."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import islice

_AT_ONCE = 500
_NUMBERS = frozenset((int, float))
# A spreadsheet takes what begins so for a formula, in East Asian settings also the wide forms, and after blanks that it
# drops, breaks of lines among them.
_FORMULA = tuple("=+-@\uff1d\uff0b\uff0d\uff20")
_DROPPED = "\ufeff\u200b"
_BREAKS = ("\t", "\r", "\n", "\v", "\f")


def pieces(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[bytes]:
    """The table, some hundred rows at a time."""
    text = io.StringIO()
    text.write("\ufeff")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(map(_cell, columns))
    waiting = iter(rows)
    while some := list(islice(waiting, _AT_ONCE)):
        # A study has a million cells.
        writer.writerows(
            [
                value
                if (kind := type(value)) in _NUMBERS
                else _defused(value)
                if kind is str
                else _cell(value)
                for value in row
            ]
            for row in some
        )
        yield text.getvalue().encode()
        text.seek(0)
        text.truncate()
    if said := text.getvalue():
        yield said.encode()


def table_csv(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """The whole table."""
    return b"".join(pieces(columns, rows))


def undefused(text: str) -> str | None:
    """The cell before it was kept from being a formula, or None for one that never was."""
    return text[1:] if text.startswith("'") and _defused(text[1:]) == text else None


def _cell(value: object) -> object:
    if value is None:
        return ""
    if isinstance(value, int | float):
        return value
    return _defused(str(value))


# Comments may be long.
@lru_cache(maxsize=1024)
def _defused(text: str) -> str:
    begins = text.lstrip().lstrip(_DROPPED).lstrip()
    is_formula = begins.startswith(_FORMULA) and text != "-inf"
    return f"'{text}" if is_formula or text.startswith(_BREAKS) else text
