"""Files whose fate hangs on a database row, noted while it is open.

A file and a row cannot be written or deleted in one step. Before the step its files' keys are noted; after
it the note goes. When a process dies in between, the note stays, and the broom deletes those files that no
photo names, in the clinic or in the bin.

How old a note is, the file system's clock says; where photos lie in a bucket, which knows no renaming, the note is a
row of the database (``FileNote``), and its clock counts. Whoever writes a row asks first whether the note still holds
(``Note.confirm``), which makes it as good as new, and the broom takes a note away before it touches a file: of the
two the first wins, so that no row is left without its files, however long a step takes.

Where the connection to the database breaks, nobody knows whether the rows were committed: then the files stay, and so
does the note (``Note.drop``), and the broom finds out.
"""

import json
import logging
import os
import sys
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Protocol

from django.conf import settings
from django.db import Error, InterfaceError, OperationalError, connection, transaction
from django.db.models import Q
from django.db.models.functions import Now

from skinclinic.engine.housekeeping import broom
from skinclinic.files import store, whole
from skinclinic.models import BinnedRow, FileNote, Photo

log = logging.getLogger(__name__)

# No upload or deletion takes this long: a note this old was left by a process that died.
LEFT_BEHIND_AFTER_SECONDS = 3600


# Of a note that the broom has taken.
_TAKEN = ".taken"


class NoteGone(OSError):
    """The note was swept while the work went on, and its files with it: nothing of it may be kept."""


class _Kept(Protocol):
    """Where a note is kept. Raises NoteGone."""

    def confirm(self, keys: Sequence[str]) -> None: ...
    def remove(self) -> None: ...


class Note:
    """What is noted while a block works."""

    def __init__(self, kept: _Kept):
        self._kept = kept
        self.stays = False

    def confirm(self, *keys: str) -> None:
        """Ask, last thing in the transaction of the rows, whether note and files are still there. From now on the note
        is left alone for an hour. Raises NoteGone."""
        self._kept.confirm(keys)

    def drop(self, *keys: str) -> None:
        """Delete files that got no row, in the ``except`` or ``finally`` of what was to give them one. Where the
        database did not say whether it did, they are the broom's."""
        if isinstance(sys.exception(), OperationalError | InterfaceError) and _is_cut():
            log.warning(
                "the database did not say whether %d files got their rows; the broom will see", len(keys)
            )
            self.stays = True
        else:
            store.delete(*keys)


class _OnDisk:
    def __init__(self, keys: Sequence[str]):
        self._path = _folder() / f"{uuid.uuid4().hex}.json"
        with store.storing():
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.write_text(json.dumps(keys))

    def confirm(self, keys: Sequence[str]) -> None:
        try:
            os.utime(self._path)
        except FileNotFoundError:
            raise NoteGone("the note of an upload was swept while it went on") from None
        for key in keys:
            if not store.is_file(key):
                raise NoteGone(f"{key} was removed while its row was written")

    def remove(self) -> None:
        with suppress(OSError):
            self._path.unlink(missing_ok=True)


class _InDatabase:
    def __init__(self, keys: Sequence[str]):
        self._pk = FileNote.objects.create(keys=list(keys)).pk

    def confirm(self, keys: Sequence[str]) -> None:
        # Held until the rows are committed, so that no broom takes it from under them; and no broom deletes an object
        # without taking its note first, so that nobody has to ask the bucket in here.
        if not FileNote.objects.filter(pk=self._pk, taken=False).update(at=Now()):
            raise NoteGone("the note of an upload was swept while it went on")

    def remove(self) -> None:
        with suppress(Error):
            FileNote.objects.filter(pk=self._pk).delete()


@contextmanager
def noted(*keys: str) -> Iterator[Note]:
    """Note ``keys`` while the block writes or deletes their files and row. Raises files.StorageFull."""
    kept: _Kept = _InDatabase(keys) if store.bucket() else _OnDisk(keys)
    note = Note(kept)
    try:
        yield note
    finally:
        if not note.stays:
            kept.remove()


def _is_cut() -> bool:
    """Whether the connection to the database is gone."""
    there = connection.connection
    return there is None or bool(getattr(there, "closed", False))


def _look_again(keys: Sequence[str]) -> None:
    """Objects that could not be removed, or may yet come."""
    with suppress(Error):
        FileNote.objects.create(keys=list(keys))


store.uncertain.append(_look_again)


@broom
def delete_left_behind() -> None:
    """Delete files of uploads and deletions that were cut off by a crash."""
    _delete_of_rows()
    folder = _folder()
    if not folder.is_dir():
        return
    long_ago = whole.now_in(folder) - LEFT_BEHIND_AFTER_SECONDS
    for note in [*folder.glob("*.json"), *folder.glob(f"*{_TAKEN}")]:
        with suppress(FileNotFoundError):
            if note.stat().st_mtime <= long_ago:
                _delete_noted(note, long_ago)


def _delete_noted(note: Path, long_ago: float) -> None:
    """Raises FileNotFoundError where its owner, or another broom, was first."""
    # One that was killed with a note in hand leaves it for the next.
    taken = note if note.suffix == _TAKEN else note.rename(note.with_suffix(_TAKEN))
    if taken.stat().st_mtime > long_ago:
        # Its owner has confirmed it in between, and will commit.
        taken.rename(note)
        return
    try:
        keys = json.loads(taken.read_text())
    except ValueError:
        keys = []  # the crash came before the note was written, so before any file
    for key in keys:
        if not is_needed(key):
            log.warning("deleting a file left behind by a crash: %s", key)
            store.delete(key)
    taken.unlink(missing_ok=True)


def _delete_of_rows() -> None:
    for pk in FileNote.objects.values_list("pk", flat=True).filter(_left_behind()):
        with transaction.atomic():
            # One that is held is about to be committed, or its owner is cut off: its turn comes later.
            row = FileNote.objects.select_for_update(skip_locked=True).filter(_left_behind(), pk=pk).first()
            if row is None:
                continue
            FileNote.objects.filter(pk=pk).update(taken=True)
        try:
            gone = [key for key in row.keys if not is_needed(key) and store.is_file(key)]
            for key in gone:
                log.warning("deleting an object left behind by a crash: %s", key)
            store.delete(*gone)
            FileNote.objects.filter(pk=pk).delete()
        except store.StorageAway as error:
            log.error("%s: what was left behind stays for now", error.why)
            return


def _left_behind() -> Q:
    return Q(taken=True) | Q(at__lt=Now() - timedelta(seconds=LEFT_BEHIND_AFTER_SECONDS))


def is_needed(key: str) -> bool:
    """Whether a photo names the file, or one that lies in the bin and may be restored."""
    if Photo.objects.filter(Q(file_key=key) | Q(thumbnail_key=key)).exists():
        return True
    binned = BinnedRow.objects.filter(model="skinclinic.photo")
    return binned.filter(Q(data__file_key=key) | Q(data__thumbnail_key=key)).exists()


def _folder() -> Path:
    return settings.PHOTOS_DIR / "notes"
