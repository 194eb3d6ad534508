"""A study's report as files, in a folder that is written whole or not at all."""

import json
import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from classifier.plots.figures import Figure
from classifier.services.evaluation.figure_files import SCREEN, Print, figure_file, form_of, picture
from reader_study.plots import figures
from reader_study.services.results import index
from reader_study.statistics import study_exchange
from reader_study.statistics.tables import StudyTables
from reader_study.statistics.tidy import tidy
from skinclinic.files.whole import whole_folder
from skinclinic.web.csv_table import table_csv

REPORT = "report.json"
# Every figure as these, unless others are asked for.
USUAL = ("svg", "pdf", "png", "csv")
# Pictures for looking at: those for a journal take as long as everything else.
QUICK = Print(dpi=SCREEN)
PIXELS = {"png", "tiff"}
_AHEAD = 32


class FolderRefused(Exception):
    """The folder cannot be used; the message says why and what to do."""


def files(
    report: dict,
    tables: StudyTables,
    language: str = "en",
    *,
    kinds: Sequence[str] = USUAL,
    how: Print = QUICK,
    has_title: bool = True,
) -> Iterator[tuple[str, bytes]]:
    """(name, content) of the report, its tables, every figure as each of ``kinds`` (none: no figures), and an index."""
    yield REPORT, json.dumps(report, ensure_ascii=False, allow_nan=False, indent=1).encode()
    said = [(REPORT, index.ABOUT[REPORT]())]
    for name, columns, rows in tidy(report, tables, language):
        said.append((f"{name}.csv", index.ABOUT["tables"]()))
        yield f"{name}.csv", table_csv(columns, rows)
    for name, content in study_exchange.files(tables):
        said.append((f"exchange/{name}", index.ABOUT["exchange"]()))
        yield f"exchange/{name}", content
    if kinds:
        found = figures(report, tables, form=form_of(how.width, has_title=has_title))
        yield from pictures(found, kinds, how, said)
    yield index.NAME, index.page("", said)


def pictures(
    found: Iterable[Figure], kinds: Sequence[str], how: Print, said: list[tuple[str, str]]
) -> Iterator[tuple[str, bytes]]:
    """Every figure as each of ``kinds``, in folders; what each shows is added to ``said``."""
    # Most of a picture's time is its compression, which lets other threads work.
    with ThreadPoolExecutor() as pool:
        waiting: deque[tuple[str, Future[bytes]]] = deque()
        for figure in found:
            page = figure_file(figure, "pdf", how) if PIXELS.intersection(kinds) else b""
            for kind in kinds:
                name = f"figures/{figure.folder}/{figure.name}.{kind}"
                said.append((name, figure.title))
                if kind in PIXELS:
                    waiting.append((name, pool.submit(picture, page, kind, how.dpi)))
                else:
                    yield name, page if page and kind == "pdf" else figure_file(figure, kind, how)
            # No more are held at a time than there is work for.
            while len(waiting) > _AHEAD:
                name, drawn = waiting.popleft()
                yield name, drawn.result()
        for name, drawn in waiting:
            yield name, drawn.result()


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
