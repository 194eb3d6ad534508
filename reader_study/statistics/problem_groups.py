"""What is wrong in the rows of files, equal problems together: one wrong word in 480 rows is one line."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from skinclinic.archive.formats.problems import Problem

# Values and rows named of problems that are the same.
MOST_VALUES, MOST_ROWS = 3, 20
_LONGEST = 80


@dataclass(frozen=True)
class RowProblem:
    """What is wrong in a row of a file, as a spreadsheet numbers it (the header is row 1)."""

    file: str
    row: int
    problem: Problem


def rows_named(numbers: Iterable[int], most: int = MOST_ROWS) -> str:
    """The first of them: "2, 3, 8 …"."""
    rows = list(dict.fromkeys(numbers))
    return ", ".join(map(str, rows[:most])) + (" …" if len(rows) > most else "")


@dataclass
class Group:
    """Problems of a column that differ only in their rows, their values and what fills the message."""

    file: str
    column: str
    rows: list[int] = field(default_factory=list)
    # Those of the first different values.
    examples: list[Problem] = field(default_factory=list)
    has_more_values: bool = False

    @property
    def count(self) -> int:
        return len(self.rows)

    def add(self, found: RowProblem) -> None:
        self.rows.append(found.row)
        said = (found.problem.value, dict(found.problem.params))
        if said in [(one.value, dict(one.params)) for one in self.examples]:
            return
        if len(self.examples) < MOST_VALUES:
            self.examples.append(found.problem)
        else:
            self.has_more_values = True

    def parts(self, translate: Callable[[str], str] = str) -> list[tuple[list[str], str]]:
        """[(values, what is wrong with them)]; one where it is the same for all."""
        said: dict[str, list[str]] = {}
        for one in self.examples:
            values = said.setdefault(translate(one.message) % one.params, [])
            if one.value:
                values.append(one.value[:_LONGEST])
        return [(values, text) for text, values in said.items()]

    def rows_named(self, most: int = MOST_ROWS) -> str:
        return rows_named(self.rows, most)

    def __str__(self) -> str:
        place = f", {self.column}" if self.column else ""
        more = " …" if self.has_more_values else ""
        parts = [
            (f"{', '.join(map(repr, values))}{more}" if values else "", text) for values, text in self.parts()
        ]
        if len(parts) == 1:
            values, text = parts[0]
            said = f"{place}{f' {values}' if values else ''}: {text}"
        else:
            texts = (f"{values} {text}" if values else text for values, text in parts)
            said = f"{place}: {'; '.join(texts)}"
        if self.count == 1:
            return f"{self.file}, row {self.rows[0]}{said}"
        return f"{self.file}{said} ({self.count} rows: {self.rows_named()})"


def grouped(problems: Iterable[RowProblem]) -> list[Group]:
    """In the order in which they were met."""
    groups: dict[tuple[str, str, str], Group] = {}
    for one in problems:
        key = (one.file, one.problem.column, one.problem.message)
        groups.setdefault(key, Group(one.file, one.problem.column)).add(one)
    return list(groups.values())
