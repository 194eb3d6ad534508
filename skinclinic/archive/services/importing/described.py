"""Imports that are described by Croissant metadata beside their photos: the table is taken as described."""

import hashlib
import json
import shutil
import zipfile
from pathlib import Path, PurePosixPath

from skinclinic.archive.formats import croissant
from skinclinic.archive.formats.problems import TableRefused, _
from skinclinic.archive.formats.tables import MOST_BYTES
from skinclinic.archive.models import Import
from skinclinic.archive.services.exporting import read_back

_TAKEN = "described.json"
_MOST = 16 << 20


def take_table(row: Import, folder: Path) -> None:
    """Copy the table that ``croissant.json`` describes to ``folder`` and name it as the import's, with the columns it
    describes; licence, citation and address fill the gaps of the import's source. Raises TableRefused."""
    photos = Path(row.photos)
    name = _description(photos)
    try:
        with read_back.opened(photos, name, _MOST) as file:
            described = croissant.read(json.loads(file.read()))
    except (OSError, KeyError, ValueError, RecursionError, zipfile.BadZipFile) as error:
        if isinstance(error, TableRefused):
            raise
        raise TableRefused(_("croissant.json is damaged: it is no JSON that can be read.")) from None
    path = str(PurePosixPath(name).parent / described.table)
    table = folder / "table.csv"
    try:
        with read_back.opened(photos, path, MOST_BYTES) as found, table.open("wb") as file:
            shutil.copyfileobj(found, file)
    except (OSError, KeyError, ValueError, zipfile.BadZipFile):
        raise TableRefused(
            _("croissant.json describes the table “%(name)s”, which is not there or too large."),
            name=path[:200],
        ) from None
    if described.sha256 and _sha256(table) != described.sha256.casefold():
        raise TableRefused(
            _("The table “%(name)s” is not the one that croissant.json describes: its SHA-256 is another. Export both "
              "anew, or import the table as “Any table”."),
            name=path[:200],
        )  # fmt: skip
    taken = {"read": [name, path], "not_taken": dict(described.not_taken)}
    (folder / _TAKEN).write_text(json.dumps(taken), encoding="utf-8")
    row.metadata = str(table)
    row.columns = row.columns or dict(described.columns)
    row.save(update_fields=["metadata", "columns"])
    read_back.fill_gaps(row, described.said)


def told(folder: Path) -> tuple[set[str], dict[str, list[str]]]:
    """The files that were read, and what of the description was not taken over: {what: names}."""
    try:
        found = json.loads((folder / _TAKEN).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return set(), {}
    return set(found["read"]), {kind: names for kind, names in found["not_taken"].items() if names}


def _description(photos: Path) -> str:
    """Where the description lies: the outermost file of its name."""
    try:
        if photos.is_dir():
            names = [str(path.relative_to(photos)) for path in photos.glob("*/" + croissant.FILE)]
            names += [croissant.FILE] if (photos / croissant.FILE).exists() else []
        else:
            with zipfile.ZipFile(photos) as archive:
                names = [name for name in archive.namelist() if PurePosixPath(name).name == croissant.FILE]
    except (OSError, ValueError, zipfile.BadZipFile):
        names = []
    if not names:
        raise TableRefused(
            _(
                "There is no croissant.json beside the photos. Put it into the folder or ZIP, or choose another format."
            )
        )
    return min(names, key=lambda name: (name.count("/"), name))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
