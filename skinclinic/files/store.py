"""Private files below PHOTOS_DIR: whole or not there at all, reached by keys made here."""

import logging
import os
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from django.conf import settings

from skinclinic.files import whole

log = logging.getLogger(__name__)


class StorageFull(Exception):
    """The disk could not take the file; nothing was stored."""


@contextmanager
def storing() -> Iterator[None]:
    """What the disk refuses in the block is said as StorageFull."""
    try:
        yield
    except OSError as error:
        log.error("cannot store a file: %s", error)
        raise StorageFull(str(error)) from error


def new_key(folder: str, suffix: str = ".jpg") -> str:
    """Return a key below ``folder`` that no file has yet."""
    name = uuid.uuid4().hex
    return f"{folder}/{name[:2]}/{name}{suffix}"


def save(folder: str, data: bytes, suffix: str = ".jpg") -> str:
    """Write ``data`` below PHOTOS_DIR/``folder`` and return its key. Raises StorageFull."""
    key = new_key(folder, suffix)
    write(key, data)
    return key


def write(key: str, data: bytes) -> None:
    """Write ``data`` under a new key. Raises StorageFull."""
    write_together({key: data})


def write_together(files: Mapping[str, bytes]) -> None:
    """Write each file under its new key; all of them are there when this returns. Raises StorageFull, and then none
    is."""
    targets = [(path_of(key), data) for key, data in files.items()]
    with storing():
        try:
            whole.write_together(targets)
        except OSError:
            _remove(*(path for path, _data in targets))
            raise


def path_of(key: str) -> Path:
    """The file of a key. Raises ValueError for anything that would leave PHOTOS_DIR."""
    path = (settings.PHOTOS_DIR / key).resolve()
    if not path.is_relative_to(settings.PHOTOS_DIR.resolve()):
        raise ValueError("not a key of a stored file")
    return path


def read(key: str) -> bytes:
    return path_of(key).read_bytes()


def is_whole_jpeg(key: str) -> bool:
    """Whether the file is there and is a JPEG that was not cut off, by its first and last bytes."""
    try:
        with path_of(key).open("rb") as file:
            begins = file.read(2)
            file.seek(-2, os.SEEK_END)
            return (begins, file.read(2)) == (b"\xff\xd8", b"\xff\xd9")
    except OSError:
        return False


def is_full() -> bool:
    """Whether the disk of the photos has no room for another upload."""
    try:
        disk = os.statvfs(settings.PHOTOS_DIR)
    except OSError:
        return False  # there is none yet: the first photo makes it
    # What is sent, what is kept of it, and a little for the notes and the database beside it.
    return disk.f_bavail * disk.f_frsize < 2 * settings.UPLOAD_MAX_BYTES


def is_there() -> bool:
    """Whether the photos' folder is there and holds a clinic's: a machine without its volume has none, or an empty
    one."""
    with suppress(OSError), os.scandir(settings.PHOTOS_DIR) as entries:
        return any(entry.name.startswith("clinic-") for entry in entries)
    return False


def delete(*keys: str) -> None:
    """Delete the files of these keys, whole or begun; one that is gone already is no error.

    A file that cannot be deleted now stays behind and is logged.
    """
    for key in keys:
        path = path_of(key)
        _remove(path, *whole.drafts(path))


def _remove(*paths: Path) -> None:
    for path in paths:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            log.error("cannot delete %s: %s", path, error)
