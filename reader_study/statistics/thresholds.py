"""Thresholds that a protocol fixed, from a CSV file."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from reader_study.statistics.disease_words import DiseaseWords
from reader_study.statistics.problem_groups import RowProblem
from reader_study.statistics.reading import FileRefused, Reading, TablesRefused
from reader_study.statistics.score_columns import share
from skinclinic.archive.formats.columns import LEAVE_OUT
from skinclinic.archive.formats.problems import Problem, _


def read_thresholds(
    path: Path, *, labels: Mapping[str, str] = MappingProxyType({}), encoding: str = ""
) -> dict[str, float]:
    """By disease: columns ``disease`` (key, name or a word of ``labels``) and ``threshold``, a share or with a percent
    sign. A disease is listed above its threshold.

    Raises TablesRefused with all problems, FileRefused for what is no such table, OSError.
    """
    problems: list[RowProblem] = []
    words = DiseaseWords(labels)
    reading = Reading(path, problems, ("disease", "threshold"), encoding)
    found: dict[str, float] = {}
    for record in reading:
        key = reading.cell("disease", words.truth)
        value = reading.cell("threshold", lambda text: share(text, reading)[0])
        if key in found:
            reading.say(Problem("disease", _("stands there twice"), key))
        if key not in (None, LEAVE_OUT) and value is not None and record:
            found[str(key)] = value
    if problems:
        raise TablesRefused(problems)
    if not found:
        raise FileRefused(path, _("There is no row below the names of the columns."))
    return found
