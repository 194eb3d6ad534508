"""Tables that a spreadsheet opens as they are: UTF-8 with a mark, and no cell that it takes for a formula. Pure."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import islice

_AT_ONCE = 500
_NUMBERS = frozenset((int, float))
# A spreadsheet takes what begins so for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


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


def _cell(value: object) -> object:
    if value is None:
        return ""
    if isinstance(value, int | float):
        return value
    return _defused(str(value))


# Comments may be long.
@lru_cache(maxsize=1024)
def _defused(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) and text != "-inf" else text
