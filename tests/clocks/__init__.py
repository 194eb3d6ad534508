"""Clocks that are wrong, and jump, for processes that a test starts and whatever those start (Debian's libfaketime).

How long anything takes is as it is, and so is what a file is stamped with, as on a disk that others share; ``jumped``
does to files what a jump of their own machine's clock would.
"""

import contextlib
import glob
import os
import re
from collections.abc import Iterable
from pathlib import Path

_HERE = Path(__file__).parent
_LEFT = re.compile(r"(?:sem\.)?faketime_(?:shm|sem)_(\d+)")


def library() -> str:
    """The one that is loaded before all others; "" where it is not installed."""
    return next(iter(glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")), "")


class Clock:
    """A clock that is ``ahead`` by so many seconds (behind, where less than none), and may be set while it is used."""

    def __init__(self, folder: Path, ahead: int = 0):
        self._file = folder / f"clock-{id(self)}"
        self.set(ahead)

    def set(self, ahead: int) -> None:
        """Within a second, for every process that goes by it."""
        draft = self._file.with_suffix(".draft")
        draft.write_text(f"{ahead:+d}\n")
        draft.chmod(0o644)  # PostgreSQL's user reads it, too
        draft.rename(self._file)

    @property
    def environment(self) -> dict[str, str]:
        """Of processes that go by it."""
        return {
            "LD_PRELOAD": library(),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            # Seconds between two looks at the file, each of which costs as much as opening it.
            "FAKETIME_CACHE_DURATION": "1",
            # Files and what is measured by the monotonic clock are as they are; sleeping is mended in the folder.
            "NO_FAKE_STAT": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "PYTHONPATH": os.pathsep.join(filter(None, (str(_HERE), os.environ.get("PYTHONPATH", "")))),
        }


def jumped(files: Iterable[Path], seconds: float) -> None:
    """These files as they are after the clock of their disk was put on by so many seconds: as much older."""
    for path in list(files):
        with contextlib.suppress(FileNotFoundError):
            at = path.stat().st_mtime - seconds
            os.utime(path, (at, at))


def tidy() -> None:
    """Remove what libfaketime leaves in shared memory of processes that were killed."""
    with contextlib.suppress(FileNotFoundError):
        for path in Path("/dev/shm").iterdir():
            if (left := _LEFT.fullmatch(path.name)) and not Path(f"/proc/{left[1]}").exists():
                path.unlink(missing_ok=True)
