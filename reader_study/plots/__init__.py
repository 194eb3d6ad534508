"""Figures of a reader study: each drawn once, written as SVG, PNG and PDF, with its numbers as a table.

Pure but for translations. ``study.StudyFigures`` has them all; ``figures`` is what a command needs.
"""

from collections.abc import Mapping

from classifier.metrics.plain import plain
from reader_study.plots.curves import curves
from reader_study.plots.study import StudyFigures
from reader_study.statistics.tables import StudyTables


def figures(report: Mapping, tables: StudyTables, **look) -> StudyFigures:
    """The figures of a study; ``look`` is that of StudyFigures."""
    return StudyFigures(report, plain(curves(tables, report["settings"]["ak"])), **look)


__all__ = ["StudyFigures", "curves", "figures"]
