"""A study's report as files, in a folder that is written whole or not at all."""

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from classifier.services.evaluation import bundle
from classifier.services.evaluation.figure_files import QUICK, Print, form_of
from reader_study.plots import figures
from reader_study.services.results import index
from reader_study.statistics import study_exchange
from reader_study.statistics.tables import StudyTables
from reader_study.statistics.tidy import tidy
from skinclinic.files.whole import whole_folder
from skinclinic.web.csv_table import table_csv

REPORT = "report.json"


class FolderRefused(Exception):
    """The folder cannot be used; the message says why and what to do."""


def files(
    report: dict,
    tables: StudyTables,
    language: str = "en",
    *,
    kinds: Sequence[str] = bundle.USUAL,
    how: Print = QUICK,
    has_title: bool = True,
    exchange: Iterable[tuple[str, bytes]] | None = None,
) -> Iterator[tuple[str, bytes]]:
    """(name, content) of the report, its tables, every figure as each of ``kinds`` (none: no figures), and an index.

    ``exchange``: the files for other programs, where they are made already.
    """
    said = [(REPORT, index.ABOUT[REPORT]())]
    makers = figures(report, tables, form=form_of(how.width, has_title=has_title)).makers() if kinds else []
    pictured: bundle.Said = []
    with bundle.begun(makers, kinds, how, pictured) as pictures:
        yield REPORT, as_json(report)
        for name, columns, rows in tidy(report, tables, language):
            said.append((f"{name}.csv", index.ABOUT["tables"]()))
            yield f"{name}.csv", table_csv(columns, rows)
        for name, content in study_exchange.files(tables) if exchange is None else exchange:
            said.append((f"exchange/{name}", index.ABOUT["exchange"]()))
            yield f"exchange/{name}", content
        yield from pictures
    yield bundle.INDEX, bundle.index(index.title(""), [*said, *pictured])


def as_json(report: dict) -> bytes:
    """A line for each part of the report: spread over more, a large one takes several times as long to write."""
    lines = (
        f"{json.dumps(name)}: {json.dumps(part, ensure_ascii=False, allow_nan=False)}"
        for name, part in report.items()
    )
    return ("{\n" + ",\n".join(lines) + "\n}\n").encode()


def write_folder(found: Iterable[tuple[str, bytes]], folder: Path) -> int:
    """Write all files, then put them in place at once; how many there are.

    A folder that holds nothing but files of these names is replaced. Raises FolderRefused, OSError.
    """
    folder = folder.absolute()
    folders: set[Path] = set()
    with whole_folder(folder, replace=True) as draft:
        for name, content in found:
            place = draft / name
            if place.parent not in folders:
                place.parent.mkdir(parents=True, exist_ok=True)
                folders.add(place.parent)
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
