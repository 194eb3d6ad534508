"""Reading back what this product exported: the tables that lie beside the photos, in a folder or ZIP."""

import json
import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from skinclinic.archive.formats.problems import TableRefused, _
from skinclinic.archive.formats.tables import MOST_BYTES
from skinclinic.archive.models import PROVENANCE, Import, Source
from skinclinic.archive.services.exporting import croissant, datasheet, tables
from skinclinic.models.columns import field_of

TABLE, ABOUT = "photos.csv", "dataset.json"
# All that an export holds beside photos; the others say again, for other programs, what these two say.
FILES = (TABLE, ABOUT, tables.ISIC, croissant.FILE, datasheet.FILE)
_MOST_ABOUT = 4 << 20


def take_table(row: Import, folder: Path) -> None:
    """Copy the export's table to ``folder`` and name it as the import's; what the export says of where its
    photos come from fills the gaps of the import's source. Raises TableRefused."""
    table = folder / "table.csv"
    try:
        with opened(Path(row.photos), TABLE, MOST_BYTES) as found, table.open("wb") as file:
            shutil.copyfileobj(found, file)
        with opened(Path(row.photos), ABOUT, _MOST_ABOUT) as found:
            about = json.loads(found.read())
        sources = about["sources"]
        known = {name: _joined(sources, name) for name in PROVENANCE}
    except (OSError, KeyError, TypeError, ValueError, AttributeError, zipfile.BadZipFile):
        raise TableRefused(
            _("This is no whole export: photos.csv or dataset.json is missing or damaged. Export it anew.")
        ) from None
    row.metadata = str(table)
    row.save(update_fields=["metadata"])
    fill_gaps(row, known)


def fill_gaps(row: Import, known: Mapping[str, str]) -> None:
    """What the import's source does not say yet; what does not fit stays away."""
    source = Source.objects.get(imports=row)
    for name, value in known.items():
        most = field_of(Source, name).max_length or 0
        if value and not getattr(source, name) and len(value) <= most:
            setattr(source, name, value)
    source.save(update_fields=PROVENANCE)


def opened(photos: Path, name: str, most: int) -> IO[bytes]:
    """A file among the photos, of at most so many bytes. Raises OSError, KeyError, BadZipFile."""
    if photos.is_dir():
        path = photos / name
        is_inside = path.resolve().is_relative_to(photos.resolve())
        if path.is_symlink() or not is_inside or path.stat().st_size > most:
            raise OSError(name)
        return path.open("rb")
    with zipfile.ZipFile(photos) as archive:
        if archive.getinfo(name).file_size > most:
            raise OSError(name)
        return archive.open(name)


def _joined(sources: list[dict], name: str) -> str:
    """What the sources say, once if they agree; else each after its name."""
    said = {str(source["name"]): str(source.get(name) or "") for source in sources}
    if len(set(said.values())) == 1:
        return next(iter(said.values()))
    # An address holds one address.
    return "" if name == "url" else "; ".join(f"{who}: {what}" for who, what in said.items() if what)
