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
        self.require(key)
        second.require(key)
        self.key, self.own = key, set(self.columns)
        self.rest: dict[str, Record] = {}
        for record in second.records():
            text = record.cells.get(key, "")
            if text in self.rest:
                raise TableRefused(
                    _("In the second table “%(text)s” stands twice in %(column)s."),
                    text=text[:80],
                    column=key,
                )
            self.rest[text] = record
        self.columns = [*self.columns, *(name for name in second.columns if name and name not in self.own)]
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
                record, cells={**other.cells, **record.cells}, problems=(*record.problems, *other.problems)
            )
        self.unmatched = [text for text in self.rest if text not in used]
