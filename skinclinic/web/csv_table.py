"""Tables that a spreadsheet opens as they are: UTF-8 with a mark, and no cell that it takes for a formula. Pure."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

_AT_ONCE = 500


def pieces(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[bytes]:
    """The table, some hundred rows at a time."""
    text = io.StringIO()
    text.write("\ufeff")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(map(_cell, columns))
    for number, row in enumerate(rows, start=1):
        writer.writerow(map(_cell, row))
        if number % _AT_ONCE == 0:
            yield text.getvalue().encode()
            text.seek(0)
            text.truncate()
    yield text.getvalue().encode()


def table_csv(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """The whole table."""
    return b"".join(pieces(columns, rows))


def _cell(value: object) -> object:
    is_number = isinstance(value, int | float) or value == "-inf"
    return value if is_number else _defused(value)


def _defused(value: object) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
