"""The folders of a test."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.conf import settings


def folders_of(home: Path, cache: Path) -> dict[str, Path]:
    """The settings that say where files lie."""
    return {
        "SKINCLINIC_HOME": home,
        "PHOTOS_DIR": home / "photos",
        "MODELS_DIR": home / "models",
        "CACHE_DIR": cache,
        "STATIC_ROOT": home / "static",
    }


def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The cache of exported networks, which all tests of a run share, whichever process they are in."""
    base = tmp_path_factory.getbasetemp()
    return (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "cache"


def stored_files() -> list[str]:
    """Keys of every file below PHOTOS_DIR, drafts included, notes left out."""
    root = settings.PHOTOS_DIR
    paths = (path for path in root.rglob("*") if path.is_file())
    return sorted(str(path.relative_to(root)) for path in paths if path.parent.name != "notes")


@contextmanager
def full_after(room: int) -> Iterator[None]:
    """A disk that holds so many stored files and no more."""
    write_bytes = Path.write_bytes

    def write(path: Path, data: bytes) -> int:
        if len(stored_files()) >= room:
            raise OSError(errno.ENOSPC, "No space left on device", "/secret/path")
        return write_bytes(path, data)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "write_bytes", write)
        yield
