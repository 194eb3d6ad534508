"""Which files of an installation are saved: those of SKINCLINIC_HOME, and photos in a bucket as if they lay there."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from django.conf import settings
from django.db import connection

from skinclinic.files import store, whole

# Made anew by itself, or of the processes that run now.
NOT_SAVED = frozenset({"broker", "cache", "static", "tmp"})
# Files that are about to be written or deleted are noted here.
_PHOTOS = "photos/"
_NOTES = "photos/notes"
SECRET_KEY = "secret_key"


@dataclass(frozen=True)
class Seen:
    """``changed``: nanoseconds."""

    size: int
    changed: int


def scan(*, with_key: bool) -> tuple[dict[str, Seen], list[str]]:
    """{path below the home: what it is} and what is passed over, in words. ``with_key``: also the file of SECRET_KEY,
    which opens what is in the database and does not belong beside it unless both are encrypted. Raises StorageAway."""
    home, found, passed = settings.SKINCLINIC_HOME, dict[str, Seen](), list[str]()
    left = NOT_SAVED | _of_database() | (frozenset() if with_key else {SECRET_KEY})
    if store.bucket():
        # What lies there is from before.
        left |= {_PHOTOS.rstrip("/")}
    for path, seen in _inside(str(home), "", left) if home.is_dir() else ():
        if isinstance(seen, Seen):
            found[path] = seen
        else:
            passed.append(f"{path}: {seen}")
    for key, size, changed in store.scan():
        found[f"{_PHOTOS}{key}"] = Seen(size, changed)
    return found, passed


def open_file(path: str) -> BinaryIO:
    """A file of the installation as it lies there. Raises OSError, StorageAway."""
    if key := key_of(path):
        return store.read_as_it_lies(key)
    return (settings.SKINCLINIC_HOME / path).open("rb")


def is_file(path: str) -> bool:
    """Raises StorageAway."""
    if key := key_of(path):
        return store.is_file(key)
    return (settings.SKINCLINIC_HOME / path).exists()


def key_of(path: str) -> str:
    """The key of a photo that is an object of a bucket; "" for a file of this machine."""
    return path.removeprefix(_PHOTOS) if store.bucket() and path.startswith(_PHOTOS) else ""


def _inside(folder: str, below: str, left: frozenset[str] = frozenset()) -> Iterator[tuple[str, Seen | str]]:
    """Files of a folder and, for what cannot be saved, the reason."""
    try:
        with os.scandir(folder) as found:
            entries = sorted(found, key=lambda entry: entry.name)
    except FileNotFoundError:
        return  # it went just now
    except OSError as error:
        yield below, f"the folder cannot be read ({error.strerror})"
        return
    for entry in entries:
        path = f"{below}/{entry.name}" if below else entry.name
        if entry.name in left or entry.name.startswith(whole.DRAFT) or path == _NOTES:
            continue
        try:
            if entry.is_dir(follow_symlinks=False):
                yield from _inside(entry.path, path)
            elif entry.is_file(follow_symlinks=False):
                stat = entry.stat(follow_symlinks=False)
                yield path, Seen(stat.st_size, stat.st_mtime_ns)
            else:
                yield path, "a link or something else that is no file; it is not saved"
        except FileNotFoundError:
            continue


def _of_database() -> frozenset[str]:
    if connection.vendor != "sqlite":
        return frozenset()
    name = Path(str(connection.settings_dict["NAME"])).name
    return frozenset({name, *(f"{name}-{ending}" for ending in ("wal", "shm", "journal"))})
