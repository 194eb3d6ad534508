"""A table with a second one beside it: the labels of ISIC 2019, MILK10k and SCIN stand in a table of their own."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from skinclinic.archive.formats.problems import Problem, TableRefused, _
from skinclinic.archive.formats.tables import Record, Table


class Joined(Table):
    """The records of a table with the cells of the row of a second one that has the same text in ``key``.

    ``unmatched``: rows of the second that belong to none, known when ``records`` has been read to its end.
    """

    def __init__(self, path: Path, second: Table, key: str, encoding: str = ""):
        super().__init__(path, encoding)
        self.key, self.their_key, self.own = self.needed(key), second.needed(key), set(self.columns)
        self.rest: dict[str, Record] = {}
        for record in second.records():
            text = record.cells.get(self.their_key, "")
            if text in self.rest:
                raise TableRefused(
                    _("In the second table “%(text)s” stands twice in %(column)s."),
                    text=text[:80],
                    column=key,
                )
            self.rest[text] = record
        self.columns = [
            *self.columns,
            *(name for name in second.columns if name and name not in (*self.own, self.their_key)),
        ]
        self.second = second
        # Columns that both tables have and fill differently.
        self.doubled: dict[str, str] = {}
        self.unmatched: list[str] = []

    def records(self) -> Iterator[Record]:
        used = set()
        for record in super().records():
            text = record.cells.get(self.key, "")
            other = self.rest.get(text)
            if other is None:
                missing = Problem(self.key, _("has no row in the second table"), text)
                yield replace(record, problems=(*record.problems, missing))
                continue
            used.add(text)
            yield replace(
                record, cells=self._together(record.cells, other.cells),
                problems=(*record.problems, *other.problems),
            )  # fmt: skip
        self.unmatched = [text for text in self.rest if text not in used]

    def _together(self, first: dict[str, str], second: dict[str, str]) -> dict[str, str]:
        """The cells of both; where both have a column and say different things, each under a name of its own."""
        cells = dict(first)
        for name, text in second.items():
            if name == self.their_key:
                continue
            if name not in first:
                cells[name] = text
            elif text and text != first[name]:
                cells[self.doubled.setdefault(name, f"{name} (second table)")] = text
        return cells

    @property
    def more_columns(self) -> list[str]:
        return [*super().more_columns, *self.second.nameless.values(), *self.doubled.values()]
