"""Writing a frozen version out, de-identified: as a ZIP that can be resumed at any byte, or to a folder."""

import hashlib
import json
import logging
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings

from skinclinic import imaging
from skinclinic.archive.models import DatasetVersion
from skinclinic.archive.services.datasets import against, large
from skinclinic.archive.services.exporting import croissant, datasheet
from skinclinic.archive.services.exporting import tables as export_tables
from skinclinic.archive.services.exporting.tables import Written
from skinclinic.files import store as files
from skinclinic.files import whole
from skinclinic.services.refused import Refused
from skinclinic.web import zip_stream
from skinclinic.web.counts import gettext as _
from skinclinic.web.counts import ngettext
from skinclinic.web.zip_stream import Member

log = logging.getLogger(__name__)

FOLDER = "exports"
_PIECE = 1 << 20
_AT_ONCE = 2000
# Raise it when an export holds other files than before, so that none is gone on with that was begun otherwise.
_FORMAT = 2


@dataclass(frozen=True)
class Options:
    """``thumbnails`` instead of the full photos; ``texts``: with the pathology texts."""

    thumbnails: bool = False
    texts: bool = False

    @property
    def key(self) -> str:
        """The options as part of a file's name."""
        chosen = [name for name in ("thumbnails", "texts") if getattr(self, name)]
        return f"{'-'.join(chosen) or 'full'}-{_FORMAT}"


def check(version: DatasetVersion) -> None:
    """Raise Refused unless the version can be exported whole."""
    if not version.is_frozen:
        raise Refused("", _("Only a frozen version can be exported. Freeze it first."))
    if n := against.rows(version, against.WITHDRAWN).count():
        text = ngettext(
            "%(n)d photo was withdrawn from this version; it cannot be exported any more. Make a new version, which "
            "goes on without it.",
            "%(n)d photos were withdrawn from this version; it cannot be exported any more. Make a new version, which "
            "goes on without them.",
            n,
        )
        raise Refused("", text % {"n": n})
    if version.items.filter(entry=None).exists():
        raise Refused(
            "", _("Photos of this version were deleted; it cannot be exported any more. Make a new version.")
        )
    if n := against.rows(version, against.CONSENT).count():
        text = ngettext(
            "The patient of %(n)d photo of this version does not consent any more; it cannot be exported. Make a new "
            "version, which leaves that photo out.",
            "The patients of %(n)d photos of this version do not consent any more; it cannot be exported. Make a new "
            "version, which leaves those photos out.",
            n,
        )
        raise Refused("", text % {"n": n})
    if against.rows(version, against.COVERED).exists():
        raise Refused(
            "",
            _(
                "Photos of this version were covered for good since it was frozen; it cannot be exported. Make a new "
                "version, which holds them as they are now."
            ),
        )


def members(version: DatasetVersion, options: Options) -> list[Member]:
    """The files of the export, photos first. Raises Refused, naming a photo whose file is gone."""
    check(version)
    found, photos = [], list(_photos(version, options))
    sizes = files.sizes(key for _sha256, key in photos)
    for sha256, key in photos:
        if key not in sizes:
            raise _gone(sha256)
        read = partial(_read, key, None if options.thumbnails else sha256)
        found.append(Member(export_tables.photo_file(sha256), sizes[key], read))
    tables = _stored_tables(version, options)
    return [*found, *(Member(path.name, path.stat().st_size, partial(_pieces, path)) for path in tables)]


def to_folder(
    version: DatasetVersion, folder: Path, options: Options, say: Callable[[str], None] = lambda name: None
) -> int:
    """Write into a folder; photos that are there whole are passed over. Returns how many were written."""
    check(version)
    # What an export to this folder that was killed has begun.
    whole.sweep(folder.rglob(f"{whole.DRAFT}*"), after=0)
    written = 0
    for sha256, key in _photos(version, options):
        target = folder / export_tables.photo_file(sha256)
        data = b"".join(_read(key, None)) if options.thumbnails else None
        wanted = imaging.sha256(data) if data is not None else sha256
        if not (target.is_file() and imaging.sha256(target.read_bytes()) == wanted):
            _write(target, [data] if data is not None else _read(key, sha256))
            written += 1
        say(target.name)
    for name, pieces in _tables(version, options):
        _write(folder / name, pieces)
    return written


def to_file(version: DatasetVersion, target: Path, options: Options) -> None:
    """Write the ZIP, going on where an earlier try stopped; the name appears only when it is whole."""
    found = members(version, options)
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f"{target.name}.{version.sha256[:12]}-{options.key}.part")
    there = draft.stat().st_size if draft.exists() else 0
    if there > zip_stream.length(found):
        draft.unlink()
        there = 0
    try:
        with draft.open("ab") as file:
            for piece in zip_stream.chunks(found, there):
                file.write(piece)
    except Exception:
        # A full disk or a changed photo; what an interruption or a kill leaves is gone on with.
        draft.unlink(missing_ok=True)
        raise
    whole.flush(draft)
    whole.put(draft, target)


def _photos(version: DatasetVersion, options: Options) -> Iterator[tuple[str, str]]:
    """(content hash, key of the file) of each different photo, by hash."""
    key = "entry__photo__thumbnail_key" if options.thumbnails else "entry__photo__file_key"
    before = ""
    rows = version.items.order_by("content_sha256", "pk").values_list("content_sha256", key)
    for sha256, file_key in rows.iterator(_AT_ONCE):
        if sha256 != before:
            yield sha256, file_key
        before = sha256


def _read(key: str, sha256: str | None) -> Iterator[bytes]:
    try:
        data = files.read(key)
    except OSError:
        raise _gone(sha256 or key) from None
    if sha256 and imaging.sha256(data) != sha256:
        raise Refused(
            "", _("The file of photo %(name)s was changed; restore it from a backup.") % {"name": sha256[:16]}
        )
    if beside := imaging.beside_picture(data):
        # Nothing leaves that says more than the picture shows.
        log.error("%s is not exported: it holds %s", key, beside)
        message = _(
            "The file %(name)s holds more than the picture (%(what)s) and is not exported. Send that photo again."
        )
        raise Refused(
            "", message % {"name": export_tables.photo_file(sha256) if sha256 else key, "what": beside}
        )
    yield data


def _gone(sha256: str) -> Refused:
    return Refused(
        "", _("The file of photo %(name)s is gone; restore it from a backup.") % {"name": sha256[:16]}
    )


def _tables(version: DatasetVersion, options: Options) -> Iterator[tuple[str, Iterable[bytes]]]:
    """(file name, its bytes) of all files beside the photos; each is written before the next is asked for."""
    written: dict[str, Written] = {}
    for name, pieces in export_tables.tables(version, thumbnails=options.thumbnails, texts=options.texts):
        if name == export_tables.ABOUT:
            # The last one, which says that all are there.
            columns = export_tables.columns_of(version)
            yield croissant.FILE, [as_json(croissant.of(version, written, columns))]
            yield datasheet.FILE, [as_json(datasheet.of(version))]
        yield name, _measured(name, pieces, written)


def as_json(values: dict[str, Any]) -> bytes:
    """As it lies in an export."""
    return json.dumps(values, ensure_ascii=False, indent=1).encode()


def _measured(name: str, pieces: Iterable[bytes], written: dict[str, Written]) -> Iterator[bytes]:
    digest, size = hashlib.sha256(), 0
    for piece in pieces:
        digest.update(piece)
        size += len(piece)
        yield piece
    written[name] = Written(size, digest.hexdigest())


def croissant_of(version: DatasetVersion) -> bytes:
    """``croissant.json`` of the whole export. Raises Refused, also for a large version that was never exported: its
    table is read whole for it; OSError where the tables cannot be stored."""
    check(version)
    if stored := _stored(version, croissant.FILE):
        return stored
    if large.is_large(version):
        raise _not_exported_yet()
    _stored_tables(version, Options())
    return (folder_of(version) / Options().key / croissant.FILE).read_bytes()


def datasheet_of(version: DatasetVersion) -> bytes:
    """``datasheet.json`` as it is now; of a large version as its export has it. Raises Refused."""
    if not large.is_large(version):
        return as_json(datasheet.of(version))
    if stored := _stored(version, datasheet.FILE):
        return stored
    raise _not_exported_yet()


def _stored(version: DatasetVersion, name: str) -> bytes:
    try:
        return (folder_of(version) / Options().key / name).read_bytes() if version.is_frozen else b""
    except OSError:
        return b""


def _not_exported_yet() -> Refused:
    return Refused(
        "",
        _(
            "Of so many photos this is written with the first export. Freeze the version, export it once, then "
            "ask again."
        ),
    )


def _stored_tables(version: DatasetVersion, options: Options) -> list[Path]:
    """The tables as files, written once: a frozen version's do not change, and their sizes must be known."""
    folder = folder_of(version) / options.key
    folder.mkdir(parents=True, exist_ok=True)
    done = folder / export_tables.ABOUT
    if not done.exists():
        for name, pieces in _tables(version, options):
            _write(folder / name, pieces)
        try:
            # A patient may have been erased while they were written.
            check(version)
        except Refused:
            shutil.rmtree(folder, ignore_errors=True)
            raise
    return sorted(path for path in folder.iterdir() if path.suffix in (".csv", ".json"))


def folder_of(version: DatasetVersion) -> Path:
    """Where the tables of a version's exports are kept."""
    return settings.SKINCLINIC_HOME / FOLDER / f"{version.sha256}-{version.pk}"


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            yield piece


def _write(target: Path, pieces: Iterable[bytes]) -> None:
    with whole.whole_file(target) as file:
        file.writelines(pieces)
