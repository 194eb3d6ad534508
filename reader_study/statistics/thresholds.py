"""Thresholds that a protocol fixed, from a CSV file."""

from pathlib import Path

from reader_study.statistics.reading import FileRefused, Reading, RowProblem, TablesRefused
from skinclinic.archive.formats.problems import CellError, Problem, _
from skinclinic.vocabulary.diseases import DISEASE_KEYS


def read_thresholds(path: Path) -> dict[str, float]:
    """By disease: columns ``disease`` and ``threshold``. A disease is listed above its threshold.

    Raises TablesRefused with all problems, FileRefused for what is no such table, OSError.
    """
    problems: list[RowProblem] = []
    reading = Reading(path, problems, ("disease", "threshold"))
    found: dict[str, float] = {}
    for record in reading:
        key = reading.cell("disease", _disease)
        value = reading.cell("threshold", reading.number)
        if key in found:
            reading.say(Problem("disease", _("stands there twice"), key))
        if key is not None and value is not None and record:
            found[key] = value
    if problems:
        raise TablesRefused(problems)
    if not found:
        raise FileRefused(path, _("There is no row below the names of the columns."))
    return found


def _disease(text: str) -> str:
    if (key := text.casefold()) not in DISEASE_KEYS:
        raise CellError(_("is none of %(keys)s"), keys=", ".join(DISEASE_KEYS))
    return key
