"""Figures of a reader study: each drawn once, written as SVG, PNG and PDF, with its numbers as a table.

Pure but for translations. ``study.StudyFigures`` has them all; ``figures`` is what a command needs.
"""

from collections.abc import Iterator, Mapping

from classifier.metrics.plain import plain
from classifier.plots.figures import Figure
from reader_study.plots.curves import curves
from reader_study.plots.study import StudyFigures
from reader_study.statistics.tables import StudyTables


def figures(report: Mapping, tables: StudyTables, **look) -> Iterator[Figure]:
    """Every figure of a study that has something to show; ``look`` is that of StudyFigures."""
    found = plain(curves(tables, report["settings"]["ak"]))
    return StudyFigures(report, found, **look).all()


__all__ = ["StudyFigures", "curves", "figures"]
