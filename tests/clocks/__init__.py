"""Clocks that are wrong, and jump, for processes that a test starts and whatever those start (Debian's libfaketime).

Everything else keeps the time: what a file is stamped with, and how long anything takes.
"""

import glob
import os
from pathlib import Path

_HERE = Path(__file__).parent


def library() -> str:
    """The one that is loaded before all others; "" where it is not installed."""
    return next(iter(glob.glob("/usr/lib/*/faketime/libfaketime.so.1")), "")


class Clock:
    """A clock that is ``ahead`` by so many seconds (behind, where less than none), and may be set while it is used."""

    def __init__(self, folder: Path, ahead: int = 0):
        self._file = folder / f"clock-{id(self)}"
        self.set(ahead)

    def set(self, ahead: int) -> None:
        """At once, for every process that goes by it."""
        draft = self._file.with_suffix(".draft")
        draft.write_text(f"{ahead:+d}\n")
        draft.rename(self._file)

    @property
    def environment(self) -> dict[str, str]:
        """Of processes that go by it."""
        return {
            "LD_PRELOAD": library(),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            # Files and what is measured by the monotonic clock are as they are; sleeping is mended in the folder.
            "NO_FAKE_STAT": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "PYTHONPATH": os.pathsep.join(filter(None, (str(_HERE), os.environ.get("PYTHONPATH", "")))),
        }
