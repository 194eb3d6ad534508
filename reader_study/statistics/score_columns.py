"""The scores of a model in a file: which column is which disease's, and shares or percentages. Pure."""

from dataclasses import dataclass, field
from functools import partial

import numpy as np

from reader_study.statistics.disease_words import PERCENT, DiseaseWords
from reader_study.statistics.problem_groups import RowProblem
from reader_study.statistics.read_as import MAPPED_COLUMN, PERCENT_SIGNS, SIGNS_AND_NONE, Note
from reader_study.statistics.read_as import PERCENT as ALL_PERCENT
from reader_study.statistics.reading import LABEL, FileRefused, Reading
from skinclinic.archive.formats.columns import LEAVE_OUT
from skinclinic.archive.formats.problems import Problem, _
from skinclinic.vocabulary.diseases import DISEASE_KEYS

# Shares of several diseases sum up to about 1, the same in percent to about 100.
MOST_OF_SHARES, LEAST_OF_PERCENT = 12.0, 50.0
_SIGNS = "%\uff05"


def look_like_shares(scores: np.ndarray) -> np.ndarray:
    """Which rows do."""
    found: np.ndarray = (scores.sum(1) <= MOST_OF_SHARES) & (scores.max(1) <= 1)
    return found


def look_like_percent(scores: np.ndarray) -> np.ndarray:
    """Which rows do."""
    found: np.ndarray = (scores.sum(1) >= LEAST_OF_PERCENT) & (scores.max(1) > 1)
    return found


@dataclass
class Scores:
    """Reads the cells of a file's scores, once its columns are found."""

    reading: Reading
    words: DiseaseWords
    # Cells with a percent sign, or below one.
    signs: int = 0
    in_percent: set[str] = field(default_factory=set)
    mapped: dict[str, str] = field(default_factory=dict)

    def find_columns(self) -> bool:
        """Say which column holds which disease; False, with the unknown ones as problems, where some have none."""
        found, unknown = self._named()
        if doubled := [", ".join(columns) for columns in found.values() if len(columns) > 1]:
            raise FileRefused(
                self.reading.path,
                _(
                    "Several columns are named by the same disease: %(names)s. Rename or remove all but one of each."
                ),
                names="; ".join(doubled),
            )
        if missing := [key for key in DISEASE_KEYS if key not in found]:
            self._say_missing(missing, unknown)
            return False
        for key, (column,) in found.items():
            self.reading.columns[key] = column
            if PERCENT.search(column):
                self.in_percent.add(key)
            if self.words.is_mapped(column):
                self.mapped[column] = key
        return True

    def _named(self) -> tuple[dict[str, list[str]], list[str]]:
        """Columns by the disease that names them, and those whose names nobody knows."""
        found: dict[str, list[str]] = {}
        unknown = []
        taken = {"", *self.reading.columns.values()}
        for column in self.reading.table.columns:
            if column in taken:
                continue
            if (key := self.words.column(column)) is None:
                unknown.append(column)
            elif key != LEAVE_OUT:
                found.setdefault(key, []).append(column)
        return found, unknown

    def _say_missing(self, missing: list[str], unknown: list[str]) -> None:
        """The columns that may be meant, as problems; FileRefused where there are none."""
        if not unknown:
            refused = self.reading.table.lacks(missing)
            raise FileRefused(self.reading.path, refused.message, **refused.params)
        message = _("names no disease that is known, and these have no column: %(missing)s")
        for column in unknown:
            problem = Problem("", message, column, {"missing": ", ".join(missing)}, LABEL)
            self.reading.problems.append(RowProblem(self.reading.path.name, 1, problem))

    def row(self) -> list[float] | None:
        """The scores of the current record in the order of the diseases; None where one cannot be read."""
        values = [self.reading.cell(key, partial(self._share, key)) for key in DISEASE_KEYS]
        return None if None in values else [value for value in values if value is not None]

    def _share(self, key: str, text: str) -> float:
        value, has_sign = share(text, self.reading)
        if not has_sign and key not in self.in_percent:
            return value
        self.signs += 1
        return value if has_sign else value / 100

    def as_shares(self, scores: np.ndarray) -> tuple[np.ndarray, list[Note]]:
        """The scores, divided by 100 where all are percentages, and what was done. Only part of them: as they are."""
        notes = [
            Note(MAPPED_COLUMN, {"file": self.reading.path.name, "word": column, "disease": key})
            for column, key in self.mapped.items()
        ]
        if self.signs:
            notes.append(Note(PERCENT_SIGNS, {"file": self.reading.path.name, "count": self.signs}))
            if scores.size and scores.max() > 1:
                highest = {"file": self.reading.path.name, "highest": f"{scores.max():g}"}
                notes.append(Note(SIGNS_AND_NONE, highest, is_doubt=True))
            return scores, notes
        if not _all_percent(scores):
            return scores, notes
        highest = {"file": self.reading.path.name, "highest": f"{scores.max():g}"}
        return scores / 100, [*notes, Note(ALL_PERCENT, highest)]


def share(text: str, reading: Reading) -> tuple[float, bool]:
    """A number, and whether it has a percent sign, which it is divided by. Raises CellError."""
    bare = text.rstrip(_SIGNS).rstrip()
    return (reading.number(text), False) if bare == text else (reading.number(bare) / 100, True)


def _all_percent(scores: np.ndarray) -> bool:
    """Numbers from 0 to 100 of which no row can be shares, and which mostly sum up to more than shares do."""
    if not scores.size or scores.min() < 0 or scores.max() > 100:
        return False
    return not (scores.max(1) <= 1).any() and float(np.median(scores.sum(1))) >= LEAST_OF_PERCENT
