"""Votes of a panel from a table: read whole, and named row by row where something is wrong."""

from collections import defaultdict
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TypeVar

from reader_study.models import Study
from reader_study.panel import Vote
from reader_study.services.making.reference import LONGEST_NAME
from reader_study.services.reading.answer_rows import plain
from reader_study.statistics.problem_groups import rows_named
from skinclinic.archive.formats import values
from skinclinic.archive.formats.problems import CellError, TableRefused
from skinclinic.archive.formats.tables import Record, Table
from skinclinic.archive.formats.words import diseases
from skinclinic.services.refused import Refused
from skinclinic.web.counts import gettext as _
from skinclinic.web.counts import ngettext
from skinclinic.web.csv_table import table_csv

COLUMNS = ("number", "rater", "diagnosis", "date", "adjudication")
MOST_NAMED = 20
V = TypeVar("V")


def read(study: Study, path: Path) -> list[Vote]:
    """All votes of the file. Raises Refused, which names the rows that are wrong."""
    try:
        table = Table(path)
        names = {plain(name): name for name in table.columns if name}
        if not {"number", "rater", "diagnosis"} <= set(names):
            table.require("number", "rater", "diagnosis")
        reader = _Reader(study, {name: names[name] for name in COLUMNS if name in names})
        votes, problems = reader.all(table)
    except TableRefused as refused:
        raise Refused("file", _(refused.message) % refused.params) from None
    if problems:
        raise Refused("file", _said(problems))
    if not votes:
        raise Refused("file", _("The table holds no vote."))
    return votes


class _Reader:
    def __init__(self, study: Study, columns: dict[str, str]):
        self.columns = columns
        self.numbers = set(study.images.values_list("number", flat=True))

    def all(self, table: Table) -> tuple[list[Vote], dict[str, list[int]]]:
        """The votes, and what is wrong with the rows that are it."""
        votes: list[Vote] = []
        problems: dict[str, list[int]] = defaultdict(list)
        met: dict[tuple[int, str], int] = {}
        for record in table.records():
            try:
                vote = self._vote(record)
                earlier = met.setdefault((vote.image, vote.rater), record.number)
                if earlier != record.number:
                    raise Refused(
                        "", _("this member's vote stands already in row %(row)d") % {"row": earlier}
                    )
                votes.append(vote)
            except Refused as refused:
                problems[str(refused)].append(record.number)
        return votes, problems

    def _vote(self, record: Record) -> Vote:
        cell = {name: record.cells.get(column, "").strip() for name, column in self.columns.items()}
        number, rater = cell["number"], " ".join(cell["rater"].split())
        if not (number.isascii() and number.isdigit() and len(number) < 7 and int(number) in self.numbers):
            raise Refused("", _("the sample has no photo “%(text)s”") % {"text": number[:40]})
        if not rater or len(rater) > LONGEST_NAME:
            raise Refused("", _("the member of the panel has no name, or one that is too long"))
        found = diseases.known(cell["diagnosis"])
        if found is None:
            raise Refused("", _("“%(text)s” is none of the 12 diseases") % {"text": cell["diagnosis"][:40]})
        settles = _cell(values.yes, cell.get("adjudication", ""))
        return Vote(int(number), rater, found[0], day(cell.get("date", "")), bool(settles))


def _said(problems: dict[str, list[int]]) -> str:
    """One wrong word in 480 rows is named once, with its first rows."""
    said = []
    for what, rows in list(problems.items())[:MOST_NAMED]:
        line = ngettext("row %(rows)s: %(what)s", "%(n)d rows (%(rows)s): %(what)s", len(rows))
        said.append(line % {"rows": rows_named(rows), "what": what, "n": len(rows)})
    more = len(problems) - MOST_NAMED
    return "; ".join(said) + (f" … (+{more})" if more > 0 else "")


def day(text: str) -> date | None:
    """A day, the year first; none where it is empty. Raises Refused."""
    return _cell(values.day, text)


def _cell(read: Callable[[str], V], text: str) -> V:
    try:
        return read(text)
    except CellError as error:
        said = _("“%(text)s”: %(why)s")
        raise Refused("", said % {"text": text[:40], "why": _(error.message) % error.params}) from None


def write(votes: list[Vote]) -> bytes:
    """The same votes as a table that ``read`` takes."""
    return table_csv(
        COLUMNS,
        (
            (one.image, one.rater, one.diagnosis, one.voted_on or "", "yes" if one.is_adjudication else "")
            for one in votes
        ),
    )
