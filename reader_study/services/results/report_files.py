"""A study's report as files, in a folder that is written whole or not at all."""

import json
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from classifier.plots.figures import Figure
from classifier.plots.png import to_png
from classifier.services.evaluation.figure_files import pdf, svg
from reader_study.plots import figures
from reader_study.statistics import study_exchange
from reader_study.statistics.tables import StudyTables
from reader_study.statistics.tidy import tidy
from skinclinic.files.whole import whole_folder
from skinclinic.web.csv_table import table_csv

REPORT = "report.json"


class FolderRefused(Exception):
    """The folder cannot be used; the message says why and what to do."""


def files(
    report: dict, tables: StudyTables, language: str = "en", *, with_figures: bool = True
) -> Iterator[tuple[str, bytes]]:
    """(name, content) of the report, its tables, and every figure as SVG, PNG, PDF and CSV."""
    yield REPORT, json.dumps(report, ensure_ascii=False, allow_nan=False, indent=1).encode()
    for name, columns, rows in tidy(report, tables, language):
        yield f"{name}.csv", table_csv(columns, rows)
    for name, content in study_exchange.files(tables):
        yield f"exchange/{name}", content
    if with_figures:
        yield from _pictures(figures(report, tables))


def _pictures(found: Iterable[Figure]) -> Iterator[tuple[str, bytes]]:
    # Most of a PNG's time is its compression, which lets other threads work.
    with ThreadPoolExecutor() as pool:
        for figure, page, drawn in [
            (figure, page := pdf(figure), pool.submit(to_png, page)) for figure in found
        ]:
            yield f"figures/{figure.name}.svg", svg(figure)
            yield f"figures/{figure.name}.pdf", page
            yield f"figures/{figure.name}.csv", table_csv(figure.columns, figure.rows)
            yield f"figures/{figure.name}.png", drawn.result()


def write_folder(found: Iterable[tuple[str, bytes]], folder: Path) -> int:
    """Write all files, then put them in place at once; how many there are.

    A folder that holds nothing but files of these names is replaced. Raises FolderRefused, OSError.
    """
    folder = folder.absolute()
    with whole_folder(folder, replace=True) as draft:
        for name, content in found:
            place = draft / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
        written = _names(draft)
        if folder.exists():
            _check(folder, written)
    return len(written)


def check_folder(folder: Path) -> None:
    """Raise FolderRefused early for what can never become the folder."""
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise FolderRefused(f"{folder} is not a folder. Name another.")


def _check(folder: Path, written: set[str]) -> None:
    check_folder(folder)
    if foreign := sorted(_names(folder) - written):
        raise FolderRefused(
            f"{folder} holds other files ({', '.join(foreign[:3])}{', …' if len(foreign) > 3 else ''}). "
            "Name a new or empty folder."
        )


def _names(folder: Path) -> set[str]:
    return {
        str((Path(parent) / name).relative_to(folder))
        for parent, _folders, names in os.walk(folder)
        for name in names
    }
