"""Files whose fate hangs on a database row, noted while it is open.

A file and a row cannot be written or deleted in one step. Before the step its files' keys are noted; after
it the note goes. When a process dies in between, the note stays, and the broom deletes those files that no
photo names, in the clinic or in the bin.
"""

import json
import logging
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from django.conf import settings
from django.db.models import Q

from skinclinic.engine.housekeeping import broom
from skinclinic.files import store
from skinclinic.models import BinnedRow, Photo

log = logging.getLogger(__name__)

# No upload or deletion takes this long: a note this old was left by a process that died.
LEFT_BEHIND_AFTER_SECONDS = 3600


@contextmanager
def noted(*keys: str) -> Iterator[None]:
    """Note ``keys`` while the block writes or deletes their files and row. Raises files.StorageFull."""
    note = _folder() / f"{uuid.uuid4().hex}.json"
    try:
        with store.storing():
            note.parent.mkdir(parents=True, exist_ok=True)
            note.write_text(json.dumps(keys))
        yield
    finally:
        with suppress(OSError):
            note.unlink(missing_ok=True)


@broom
def delete_left_behind() -> None:
    """Delete files of uploads and deletions that were cut off by a crash."""
    long_ago = time.time() - LEFT_BEHIND_AFTER_SECONDS
    for note in _folder().glob("*.json"):
        try:
            if note.stat().st_mtime > long_ago:
                continue
            keys = json.loads(note.read_text())
        except FileNotFoundError:
            continue
        except ValueError:
            keys = []  # the crash came before the note was written, so before any file
        for key in keys:
            if not _is_needed(key):
                log.warning("deleting a file left behind by a crash: %s", key)
                store.delete(key)
        note.unlink(missing_ok=True)


def _is_needed(key: str) -> bool:
    """Whether a photo names the file, or one that lies in the bin and may be restored."""
    if Photo.objects.filter(Q(file_key=key) | Q(thumbnail_key=key)).exists():
        return True
    binned = BinnedRow.objects.filter(model="skinclinic.photo")
    return binned.filter(Q(data__file_key=key) | Q(data__thumbnail_key=key)).exists()


def _folder() -> Path:
    return settings.PHOTOS_DIR / "notes"
