"""Private files below PHOTOS_DIR: whole or not there at all, reached by keys made here."""

import logging
import os
import uuid
from pathlib import Path

from django.conf import settings

log = logging.getLogger(__name__)


class StorageFull(Exception):
    """The disk could not take the file; nothing was stored."""


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
    """Write ``data`` under a new key: first a draft, flushed to the disk, then its name. Raises StorageFull."""
    target = path_of(key)
    draft = _draft_of(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with draft.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        draft.rename(target)
        _flush_folder(target.parent)
    except OSError as error:
        log.error("cannot store a file: %s", error)
        _remove(draft, target)
        raise StorageFull(str(error)) from error


def path_of(key: str) -> Path:
    """The file of a key. Raises ValueError for anything that would leave PHOTOS_DIR."""
    path = (settings.PHOTOS_DIR / key).resolve()
    if not path.is_relative_to(settings.PHOTOS_DIR.resolve()):
        raise ValueError("not a key of a stored file")
    return path


def read(key: str) -> bytes:
    return path_of(key).read_bytes()


def delete(*keys: str) -> None:
    """Delete the files of these keys, whole or begun; one that is gone already is no error.

    A file that cannot be deleted now stays behind and is logged.
    """
    for key in keys:
        path = path_of(key)
        _remove(path, _draft_of(path))


def _draft_of(path: Path) -> Path:
    return path.with_suffix(".draft")


def _remove(*paths: Path) -> None:
    for path in paths:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            log.error("cannot delete %s: %s", path, error)


def _flush_folder(folder: Path) -> None:
    """Bring the new name itself to the disk, so that a row never names a file lost with the power."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
