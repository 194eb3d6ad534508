"""What imports keep of a patient who is erased: reports, uploads that are not written yet, and the inbox.

An unfinished import that holds such a photo or row is forgotten with its files: it has to be uploaded again, without.
In the inbox, whose files nobody else has perhaps, photos and rows are taken out one by one.
"""

import logging
import re
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from django.conf import settings
from django.utils.translation import gettext as _

from skinclinic import imaging
from skinclinic.archive.models import Import
from skinclinic.archive.services.importing import imports
from skinclinic.files import whole
from skinclinic.models import Erasure
from skinclinic.services.erasing import places
from skinclinic.services.erasing.trace import Trace

log = logging.getLogger(__name__)

INBOX = "inbox"
MOST_BYTES = 256 << 20
TABLES = (".csv", ".tsv", ".txt", ".json", ".jsonl")
_TEXTS = ("report", "decisions", "error")
_ENCODINGS = ("utf-8", "cp949", "latin-1")


@places.afterwards
def in_imports(erasure: Erasure, trace: Trace) -> None:
    for row in Import.objects.filter(clinic=erasure.clinic_id):
        said = {name: trace.without(getattr(row, name)) for name in _TEXTS}
        if any(value != getattr(row, name) for name, value in said.items()):
            Import.objects.filter(pk=row.pk).update(**said)
        folder = imports.folder(row)
        if folder.is_dir() and any(_holds(path, trace) for path in _files(folder)):
            shutil.rmtree(folder, ignore_errors=True)
            gone = _(
                "Its files were removed, for they held a patient who was erased. Upload it again, without."
            )
            unwritten = Import.objects.filter(pk=row.pk).exclude(
                state__in=(Import.State.DONE, Import.State.UNDONE)
            )
            unwritten.update(state=Import.State.FAILED, error=gone)


@places.afterwards
def in_inbox(erasure: Erasure, trace: Trace) -> None:
    inbox = settings.SKINCLINIC_HOME / INBOX / erasure.clinic.slug
    gone: set[str] = set()
    tables = []
    for path in _files(inbox):
        if path.suffix.lower() == ".zip":
            _clean_zip(path, trace)
        elif _is_table(path.name):
            tables.append(path)
        elif trace.knows_hash(imaging.sha256(path.read_bytes())):
            gone.add(path.name)
            path.unlink(missing_ok=True)
    for path in tables:
        before = path.read_bytes()
        after = _without_lines(before, trace, gone)
        if after != before:
            with whole.whole_file(path) as file:
                file.write(after)


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            yield path


def _is_table(name: str) -> bool:
    return PurePosixPath(name).suffix.lower() in TABLES


def _holds(path: Path, trace: Trace) -> bool:
    if path.suffix.lower() != ".zip":
        return _is_of_patient(path.name, path.read_bytes(), trace)
    with _opened(path) as archive:
        members = archive.infolist() if archive else []
        return any(_is_of_patient(one.filename, _read(archive, one), trace) for one in members)


def _is_of_patient(name: str, data: bytes, trace: Trace) -> bool:
    if _is_table(name):
        return any(map(trace.is_in_line, _text(data)[0].splitlines()))
    return trace.knows_hash(imaging.sha256(data))


def _without_lines(data: bytes, trace: Trace, gone: set[str]) -> bytes:
    """A table without the lines of the patient, or of photos of these names that lay beside it and are gone."""
    text, encoding = _text(data)
    lines = text.splitlines(keepends=True)
    kept = [line for line in lines if not (trace.is_in_line(line) or _names_one_of(line, gone))]
    return data if len(kept) == len(lines) else "".join(kept).encode(encoding)


def _names_one_of(line: str, gone: set[str]) -> bool:
    return any(
        re.search(rf"(?<![\w.-]){re.escape(PurePosixPath(name).stem)}(?![\w-])", line) for name in gone
    )


def _clean_zip(path: Path, trace: Trace) -> None:
    with _opened(path) as archive:
        members = archive.infolist() if archive else []
        if archive is None or not any(
            _is_of_patient(one.filename, _read(archive, one), trace) for one in members
        ):
            return
        photos = {one.filename for one in members if not _is_table(one.filename)}
        out = {
            name for name in photos if trace.knows_hash(imaging.sha256(_read(archive, archive.getinfo(name))))
        }
        gone = {PurePosixPath(name).name for name in out}
        with whole.whole_file(path) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as cleaned:
            for one in members:
                if _is_table(one.filename):
                    cleaned.writestr(one.filename, _without_lines(_read(archive, one), trace, gone))
                elif one.filename not in out and not one.is_dir():
                    with archive.open(one) as read, cleaned.open(one.filename, "w") as written:
                        shutil.copyfileobj(read, written)


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile | None]:
    """A ZIP, or None for a file that is none."""
    try:
        archive = zipfile.ZipFile(path)
    except (OSError, zipfile.BadZipFile):
        log.warning("%s is no ZIP that can be read; nothing was looked for in it", path.name)
        yield None
        return
    with archive:
        yield archive


def _read(archive: zipfile.ZipFile | None, one: zipfile.ZipInfo) -> bytes:
    """A file of a ZIP; nothing of one that cannot be read or is larger than any photo or table."""
    if archive is None or one.is_dir() or one.file_size > MOST_BYTES:
        return b""
    try:
        return archive.read(one)
    except (OSError, RuntimeError, zipfile.BadZipFile, NotImplementedError, EOFError):
        return b""


def _text(data: bytes) -> tuple[str, str]:
    for encoding in _ENCODINGS:
        try:
            return data.decode(encoding), encoding
        except UnicodeDecodeError:
            continue
    return "", "utf-8"
