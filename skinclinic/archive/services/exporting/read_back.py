"""Reading back what this product exported: the tables that lie beside the photos, in a folder or ZIP."""

import json
import shutil
import zipfile
from pathlib import Path

from skinclinic.archive.formats.problems import TableRefused, _
from skinclinic.archive.formats.tables import MOST_BYTES
from skinclinic.archive.models import PROVENANCE, Import, Source
from skinclinic.models.columns import field_of

TABLE, ABOUT = "photos.csv", "dataset.json"
FILES = (TABLE, ABOUT)
_MOST_ABOUT = 4 << 20


def take_table(row: Import, folder: Path) -> None:
    """Copy the export's table to ``folder`` and name it as the import's; what the export says of where its
    photos come from fills the gaps of the import's source. Raises TableRefused."""
    table = folder / "table.csv"
    try:
        with _open(Path(row.photos), TABLE, MOST_BYTES) as found, table.open("wb") as file:
            shutil.copyfileobj(found, file)
        with _open(Path(row.photos), ABOUT, _MOST_ABOUT) as found:
            about = json.loads(found.read())
        sources = about["sources"]
        known = {name: _joined(sources, name) for name in PROVENANCE}
    except (OSError, KeyError, TypeError, ValueError, AttributeError, zipfile.BadZipFile):
        raise TableRefused(
            _("This is no whole export: photos.csv or dataset.json is missing or damaged. Export it anew.")
        ) from None
    row.metadata = str(table)
    row.save(update_fields=["metadata"])
    source = Source.objects.get(imports=row)
    for name, value in known.items():
        most = field_of(Source, name).max_length or 0
        if value and not getattr(source, name) and len(value) <= most:
            setattr(source, name, value)
    source.save(update_fields=PROVENANCE)


def _open(photos: Path, name: str, most: int):
    if photos.is_dir():
        path = photos / name
        if path.is_symlink() or path.stat().st_size > most:
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
