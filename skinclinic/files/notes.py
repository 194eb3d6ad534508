"""Files whose fate hangs on a database row, noted while it is open.

A file and a row cannot be written or deleted in one step. Before the step its files' keys are noted; after
it the note goes. When a process dies in between, the note stays, and the broom deletes those files that no
photo names, in the clinic or in the bin.

How old a note is, the file system's clock says. Whoever writes a row asks first whether the note still holds
(``Note.confirm``), which makes it as good as new, and the broom takes a note away before it touches a file: of the
two the first wins, so that no row is left without its files, however long a step takes.
"""

import json
import logging
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from django.conf import settings
from django.db.models import Q

from skinclinic.engine.housekeeping import broom
from skinclinic.files import store, whole
from skinclinic.models import BinnedRow, Photo

log = logging.getLogger(__name__)

# No upload or deletion takes this long: a note this old was left by a process that died.
LEFT_BEHIND_AFTER_SECONDS = 3600


# Of a note that the broom has taken.
_TAKEN = ".taken"


class NoteGone(OSError):
    """The note was swept while the work went on, and its files with it: nothing of it may be kept."""


class Note:
    """What is noted while a block works."""

    def __init__(self, path: Path):
        self._path = path

    def confirm(self, *keys: str) -> None:
        """Ask, last thing before the rows are committed, whether note and files are still there. From now on the note
        is left alone for an hour. Raises NoteGone."""
        try:
            os.utime(self._path)
        except FileNotFoundError:
            raise NoteGone("the note of an upload was swept while it went on") from None
        for key in keys:
            if not store.path_of(key).is_file():
                raise NoteGone(f"{key} was removed while its row was written")


@contextmanager
def noted(*keys: str) -> Iterator[Note]:
    """Note ``keys`` while the block writes or deletes their files and row. Raises files.StorageFull."""
    note = _folder() / f"{uuid.uuid4().hex}.json"
    try:
        with store.storing():
            note.parent.mkdir(parents=True, exist_ok=True)
            note.write_text(json.dumps(keys))
        yield Note(note)
    finally:
        with suppress(OSError):
            note.unlink(missing_ok=True)


@broom
def delete_left_behind() -> None:
    """Delete files of uploads and deletions that were cut off by a crash."""
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


def is_needed(key: str) -> bool:
    """Whether a photo names the file, or one that lies in the bin and may be restored."""
    if Photo.objects.filter(Q(file_key=key) | Q(thumbnail_key=key)).exists():
        return True
    binned = BinnedRow.objects.filter(model="skinclinic.photo")
    return binned.filter(Q(data__file_key=key) | Q(data__thumbnail_key=key)).exists()


def _folder() -> Path:
    return settings.PHOTOS_DIR / "notes"
