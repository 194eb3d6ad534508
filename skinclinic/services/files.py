"""Private files below PHOTOS_DIR: whole or not there at all, reached by keys made here."""

import os
import uuid
from pathlib import Path

from django.conf import settings


class StorageFull(Exception):
    """The disk could not take the file; nothing was stored."""


def save(folder: str, data: bytes, suffix: str = ".jpg") -> str:
    """Write ``data`` below PHOTOS_DIR/``folder`` and return its key. Raises StorageFull."""
    name = uuid.uuid4().hex
    key = f"{folder}/{name[:2]}/{name}{suffix}"
    target = path_of(key)
    draft = target.with_suffix(".draft")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with draft.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        draft.rename(target)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise StorageFull(str(error)) from error
    return key


def path_of(key: str) -> Path:
    """The file of a key. Raises ValueError for anything that would leave PHOTOS_DIR."""
    path = (settings.PHOTOS_DIR / key).resolve()
    if not path.is_relative_to(settings.PHOTOS_DIR.resolve()):
        raise ValueError("not a key of a stored file")
    return path


def read(key: str) -> bytes:
    return path_of(key).read_bytes()


def delete(*keys: str) -> None:
    for key in keys:
        path_of(key).unlink(missing_ok=True)
