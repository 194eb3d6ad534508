"""The table of an import: sent with it, or found among its photos; with the second one that belongs to it."""

import json
from dataclasses import dataclass
from pathlib import Path

from skinclinic.archive.formats import known
from skinclinic.archive.formats.encodings import NotCertain
from skinclinic.archive.formats.joined import Joined
from skinclinic.archive.formats.layouts import Layout
from skinclinic.archive.formats.photo_sets import FileTooLarge, PhotoSet, Unreadable
from skinclinic.archive.formats.problems import TableRefused, _
from skinclinic.archive.formats.tables import Table
from skinclinic.archive.models import Import
from skinclinic.services import scanning

TABLE, SECOND = "table.csv", "second.csv"
# Names of the files among the photos that were taken for them.
_TAKEN = "taken.json"
MOST_BYTES_INSIDE = 128 << 20
MOST_NAMED = 20
INFECTED = _("The virus scanner found %(found)s in “%(name)s”. Nothing was imported.")


def of(row: Import, photos: PhotoSet, folder: Path) -> Table | None:
    """The table of an import. One that lies among the photos is copied to ``folder`` and named as the import's.
    Raises TableRefused, OSError."""
    if row.format in known.WITHOUT_TABLE:
        return None
    if not row.metadata:
        take(row, photos, folder)
    return opened(row)


def opened(row: Import) -> Table:
    """The table as it was sent or taken. Raises TableRefused, OSError."""
    layout = known.LAYOUTS.get(row.format)
    if row.second and layout and layout.joined_by:
        return Joined(
            Path(row.metadata), Table(Path(row.second), row.encoding), layout.joined_by, row.encoding
        )
    return Table(Path(row.metadata), row.encoding)


def names_of(row: Import, photos: PhotoSet, folder: Path) -> set[str]:
    """The files among the photos that are read as the import's tables."""
    try:
        names = set(json.loads((folder / _TAKEN).read_text(encoding="utf-8")))
    except (OSError, ValueError):
        names = set()
    sent = {Path(path).resolve() for path in (row.metadata, row.second) if path}
    return names | {
        name for name in photos.tables if (path := photos.path_of(name)) and path.resolve() in sent
    }


@dataclass(frozen=True)
class _Found:
    """A table among the photos: whether it names their files, and their diseases."""

    name: str
    path: Path
    files: bool
    labels: bool


def take(row: Import, photos: PhotoSet, folder: Path) -> None:
    """Find the table among the photos. Raises TableRefused when none fits, or several."""
    folder.mkdir(parents=True, exist_ok=True)
    layout = known.LAYOUTS.get(row.format)
    found = []
    try:
        called_so = [name for name in photos.tables if name.lower().endswith((".csv", ".tsv"))]
        for number, name in enumerate(called_so or photos.tables):
            path = folder / f"found-{number}.csv"
            try:
                data = photos.read(name, MOST_BYTES_INSIDE)
                scanning.check([data], name, clinic=row.clinic)
                path.write_bytes(data)
            except (FileTooLarge, Unreadable):
                continue
            except scanning.Infected as refused:
                raise TableRefused(INFECTED, found=refused.found, name=name) from None
            if one := _look(name, path, layout):
                found.append(one)
        table, second = _chosen(found, photos.tables)
        names = [one.name for one in (table, second) if one]
        (folder / _TAKEN).write_text(json.dumps(names), encoding="utf-8")
        row.metadata = str(table.path.replace(folder / TABLE))
        row.second = str(second.path.replace(folder / SECOND)) if second else ""
        row.save(update_fields=["metadata", "second"])
    finally:
        for left in folder.glob("found-*.csv"):
            left.unlink()


def _look(name: str, path: Path, layout: Layout | None) -> _Found | None:
    """What a table among the photos holds; None for one that has nothing to do with the format."""
    try:
        table = Table(path)
    except NotCertain:
        # Which it is can be told only when somebody has said how it is read.
        return _Found(name, path, True, True)
    except TableRefused:
        return None
    if layout is None:
        return _Found(name, path, True, True) if len(table.columns) > 1 else None
    file = layout.columns.get("file", ())
    files = any(map(table.called, (*((file,) if isinstance(file, str) else file), *layout.photos)))
    label = layout.columns.get("label", ())
    named = (
        *((label,) if isinstance(label, str) else label),
        *layout.one_hot,
        *layout.levels.get("label", ()),
    )
    labels = any(map(table.called, (*named, layout.weighted)))
    is_half = bool(layout.joined_by and table.called(layout.joined_by)) and (files or labels)
    return _Found(name, path, files, labels) if (files and labels) or is_half else None


def _chosen(found: list[_Found], there: list[str]) -> tuple[_Found, _Found | None]:
    """The table, and the one that belongs to it."""
    whole = [one for one in found if one.files and one.labels]
    files = [one for one in found if one.files and not one.labels]
    labels = [one for one in found if one.labels and not one.files]
    if len(whole) == 1:
        halves = [*files, *labels]
        return whole[0], halves[0] if len(halves) == 1 else None
    if not whole and len(files) == len(labels) == 1:
        return files[0], labels[0]
    if len(whole) > 1 or len(found) > 1:
        raise TableRefused(
            _("Several tables lie among the photos and fit: %(names)s. Send the one that is meant."),
            names=", ".join(one.name for one in found[:MOST_NAMED]),
        )
    raise TableRefused(
        _("This format needs its table, and none that fits lies among the photos. Tables there: %(names)s."),
        names=", ".join(there[:MOST_NAMED]) or "–",
    )
