"""Photos as files below PHOTOS_DIR."""

import logging
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from django.conf import settings

from skinclinic.files import whole

log = logging.getLogger(__name__)


class Disk:
    """``files.store.Backend`` on a file system of this machine, or one that several machines mount."""

    def path_of(self, key: str) -> Path:
        """Raises ValueError for anything that would leave PHOTOS_DIR."""
        path = (settings.PHOTOS_DIR / key).resolve()
        if not path.is_relative_to(settings.PHOTOS_DIR.resolve()):
            raise ValueError("not a key of a stored file")
        return path

    def write_together(self, files: Mapping[str, bytes]) -> None:
        targets = [(self.path_of(key), data) for key, data in files.items()]
        try:
            whole.write_together(targets)
        except OSError:
            _remove(*(path for path, _data in targets))
            raise

    def read(self, key: str) -> bytes:
        return self.path_of(key).read_bytes()

    def open(self, key: str) -> BinaryIO:
        return self.path_of(key).open("rb")

    def size_of(self, key: str) -> int:
        return self.path_of(key).stat().st_size

    def is_file(self, key: str) -> bool:
        return self.path_of(key).is_file()

    def sizes(self, keys: Iterable[str]) -> dict[str, int]:
        found = {}
        for key in keys:
            with suppress(FileNotFoundError):
                found[key] = self.size_of(key)
        return found

    def ends(self, key: str) -> tuple[bytes, bytes]:
        """What the file begins with (up to 16 bytes), and its last two bytes."""
        with self.open(key) as file:
            begins = file.read(16)
            file.seek(-2, os.SEEK_END)
            return begins, file.read(2)

    def remove(self, keys: Sequence[str]) -> list[str]:
        for key in keys:
            path = self.path_of(key)
            _remove(path, *whole.drafts(path))
        return []

    def is_full(self) -> bool:
        try:
            disk = os.statvfs(settings.PHOTOS_DIR)
        except OSError:
            return False  # there is none yet: the first photo makes it
        # What is sent, what is kept of it, and a little for the notes and the database beside it.
        return disk.f_bavail * disk.f_frsize < 2 * settings.UPLOAD_MAX_BYTES

    def is_there(self) -> bool:
        with suppress(OSError), os.scandir(settings.PHOTOS_DIR) as entries:
            return any(entry.name.startswith("clinic-") for entry in entries)
        return False

    def scan(self) -> Iterator[tuple[str, int, int]]:
        return iter(())  # they lie in the home, and are found there


def _remove(*paths: Path) -> None:
    for path in paths:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            log.error("cannot delete %s: %s", path, error)
