"""Rows and files held against each other, both ways, and every file read."""

import hashlib
import os
import time
from collections.abc import Callable, Iterator, Mapping

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connection

from skinclinic.backups.repository import Kept
from skinclinic.backups.sealing import Key
from skinclinic.files import store, whole
from skinclinic.services import holdings
from skinclinic.services.backing_up import home
from skinclinic.services.doctor.findings import Finding, failure, ok, warn
from skinclinic.services.holdings import MODELS, PHOTOS

# A photo that is being stored has its files before its row.
_SETTLED_AFTER_SECONDS = 3600
_JPEG_BEGINS, _JPEG_ENDS = b"\xff\xd8", b"\xff\xd9"
_PIECE = 1 << 20
_GIVE_BACK = "`manage.py restore BACKUPS --missing-files` gives it back"

Say = Callable[[str], None]


def findings(saved: Mapping[str, Kept], say: Say = lambda text: None) -> Iterator[Finding]:
    """``saved``: the files of a backup by path, against which those that never change are held, or {}."""
    yield from _database()
    named = dict[str, tuple[str, str]]()
    for one in holdings.all_named(DEFAULT_DB_ALIAS):
        _row, digest = named.get(one.path, ("", ""))
        named[one.path] = (one.row, one.sha256 or digest)
    try:
        yield from _files(named, saved, say)
    except store.StorageAway as away:
        yield failure(
            "files",
            f"the photos cannot be looked at: {away.why}",
            "`manage.py doctor` says what is with the bucket.",
        )


def _files(named: Mapping[str, tuple[str, str]], saved: Mapping[str, Kept], say: Say) -> Iterator[Finding]:
    wrong = 0
    for number, (path, (row, digest)) in enumerate(sorted(named.items()), 1):
        if path.startswith(f"{PHOTOS}/") and not digest and path in saved:
            digest = saved[path].sha256
        if found := _file(path, row, digest):
            wrong += 1
            yield found
        if number % 1000 == 0:
            say(f"files of rows: {number:,} of {len(named):,}")
    extra = list(_extra(named))
    yield from extra
    if not wrong:
        yield ok("files", f"{len(named):,} files that rows name are there and whole")
    if not extra:
        yield ok("files", "no file and no folder is without its row")


def _database() -> Iterator[Finding]:
    """What the database says of itself."""
    if connection.vendor != "sqlite":
        return
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA integrity_check(20)")
        said = [line for (line,) in cursor.fetchall()]
        cursor.execute("PRAGMA foreign_key_check")
        torn = cursor.fetchall()
    if said != ["ok"]:
        yield failure(
            "database", f"its file is damaged: {'; '.join(said)}",
            "Stop everything, keep the file aside, and restore the newest backup (docs/backup.md).",
        )  # fmt: skip
    elif torn:
        tables = sorted({row[0] for row in torn})
        yield failure(
            "database", f"{len(torn)} rows point at rows that are not there ({', '.join(tables)})",
            "Restore the newest backup (docs/backup.md), and tell us: the program does not let this happen.",
        )  # fmt: skip
    else:
        yield ok("database", "its file is whole, and no row points at one that is not there")


def _file(path: str, row: str, digest: str) -> Finding | None:
    """What is wrong with a file that a row names."""
    try:
        found, begins, ends, size = _read(path)
    except FileNotFoundError:
        again = "Send the same photo again, or: " if path.startswith(f"{PHOTOS}/") else ""
        return failure("files", f"{path} is missing: it is of {row}", f"{again}{_GIVE_BACK}.")
    except OSError as error:
        return failure(
            "files", f"{path}, of {row}, cannot be read: {error.strerror}",
            f"Look at the disk and at who owns the file; if it is lost, move it away, and {_GIVE_BACK}.",
        )  # fmt: skip
    if path.startswith(f"{PHOTOS}/") and Key.is_sealed(begins):
        # Sealed anew it has another hash each time; that it opens says that nothing was changed.
        if store.is_whole_jpeg(path.removeprefix(f"{PHOTOS}/")):
            return None
        said = f"{path}, of {row}, is sealed, and PHOTO_KEY does not open it ({size:,} bytes)"
        return failure(
            "files", said, f"Set PHOTO_KEY to the key it was sealed with; if it is damaged, {_GIVE_BACK}."
        )
    if digest and found != digest:
        said = f"{path}, of {row}, has another hash than it was stored with ({size:,} bytes)"
    elif path.startswith(f"{PHOTOS}/") and (begins[:2], ends) != (_JPEG_BEGINS, _JPEG_ENDS):
        said = f"{path}, of {row}, is no whole JPEG ({size:,} bytes)"
    else:
        return None
    return failure("files", said, f"Move it away, and {_GIVE_BACK}.")


def _read(path: str) -> tuple[str, bytes, bytes, int]:
    """SHA-256, how it begins, the last two bytes, and the size."""
    digest, size = hashlib.sha256(), 0
    begins = last = b""
    with home.open_file(path) as file:
        while piece := file.read(_PIECE):
            begins = begins or piece[:16]
            last = (last + piece[-2:])[-2:]
            digest.update(piece)
            size += len(piece)
    return digest.hexdigest(), begins, last, size


def _now() -> float:
    try:
        return whole.now_in(settings.SKINCLINIC_HOME)
    except OSError:
        return time.time()  # what cannot be written was said before; nothing is deleted here


def _extra(named: Mapping[str, object]) -> Iterator[Finding]:
    """Files and folders that no row names."""
    remedy = (
        "No row knows it: it was left by a crash, or its row was lost. Compare with a backup; then move it away "
        "(mv), and delete it when nothing has missed it."
    )
    settled = (_now() - _SETTLED_AFTER_SECONDS) * 1e9
    bucket_time = store.bucket_time()
    in_bucket = (bucket_time - _SETTLED_AFTER_SECONDS) * 1e9 if bucket_time else settled
    seen, passed = home.scan(with_key=False)
    models = {path.rpartition("/")[0] for path in named if path.startswith(f"{MODELS}/")}
    for path, one in seen.items():
        folder = path.partition("/")[0]
        is_photo = folder == PHOTOS and path not in named
        is_model = folder == MODELS and path.rpartition("/")[0] not in models
        if (is_photo or is_model) and one.changed < (in_bucket if home.key_of(path) else settled):
            yield warn("files", f"{path} is without a row ({one.size:,} bytes)", remedy)
    for text in passed:
        yield warn("files", text, "Put the file itself in its place, or remove it.")
    for folder, owned in holdings.owned.items():
        there = settings.SKINCLINIC_HOME / folder
        names = {entry.name for entry in os.scandir(there) if entry.is_dir()} if there.is_dir() else set()
        for name in sorted(names - owned()):
            if not name.startswith(".") and (there / name).stat().st_mtime * 1e9 < settled:
                yield warn("files", f"{folder}/{name} is without a row", remedy)
