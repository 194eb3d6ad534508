"""The key of an installation on one machine, which nobody was asked for: made once, and kept. Pure."""

import fcntl
import os
import secrets
from pathlib import Path

from skinclinic.files.whole import fsync

_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789!@#$%^&*(-_=+)"
_LENGTH = 50


def kept_key(path: Path) -> str:
    """The key that stands in this file, made and brought to the disk where none does; folders on the way are made.

    A full disk or a power cut may have left a file with nothing in it: that is no key, and the next process makes one.
    Of processes that begin together one makes it. Where nothing can be written the key is of this process alone.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError:
        # A home that may only be read, with a key or without.
        return _read(path) or _new()
    with os.fdopen(descriptor, "r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        if key := _read(path):
            return key
        key = _new()
        try:
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, key.encode(), 0)
            os.fsync(descriptor)
            fsync(path.parent)
        except OSError:
            pass  # it classifies files; whom it signs in it does not know again
        return key


def _read(path: Path) -> str:
    """ "" for none."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
    return "" if "\0" in text else text


def _new() -> str:
    return "".join(secrets.choice(_LETTERS) for _letter in range(_LENGTH))
