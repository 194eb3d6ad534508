"""Which files of an installation are saved."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import connection

from skinclinic.files import whole

# Made anew by itself, or of the processes that run now.
NOT_SAVED = frozenset({"broker", "cache", "static", "tmp"})
# Files that are about to be written or deleted are noted here.
_NOTES = "photos/notes"
SECRET_KEY = "secret_key"


@dataclass(frozen=True)
class Seen:
    """``changed``: nanoseconds."""

    size: int
    changed: int


def scan(*, with_key: bool) -> tuple[dict[str, Seen], list[str]]:
    """{path below the home: what it is} and what is passed over, in words. ``with_key``: also the file of SECRET_KEY,
    which opens what is in the database and does not belong beside it unless both are encrypted."""
    home, found, passed = settings.SKINCLINIC_HOME, dict[str, Seen](), list[str]()
    left = NOT_SAVED | _of_database() | (frozenset() if with_key else {SECRET_KEY})
    for path, seen in _inside(str(home), "", left) if home.is_dir() else ():
        if isinstance(seen, Seen):
            found[path] = seen
        else:
            passed.append(f"{path}: {seen}")
    return found, passed


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
