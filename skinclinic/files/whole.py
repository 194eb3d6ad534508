"""Files and folders that are there whole or not at all, also after a kill or a power cut. Pure.

What is written lies beside its place under a draft's name, is brought to the disk, and then gets its own name
in one step. Whoever reads meets the old one or the new one, never half of either and never neither. A kill
leaves a draft behind; drafts are known by their names and are swept when they are a day old.
"""

import ctypes
import errno
import glob
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

DRAFT = ".draft-"
# Nothing takes longer to write: a draft this old was left by a process that died.
LEFT_AFTER_SECONDS = 24 * 3600
# Of Linux's renameat2: paths are not below an open folder; swap the two names.
_FLUSHED_AT_ONCE = 8
_AT_FDCWD, _RENAME_EXCHANGE = -100, 2


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """A file to write, which takes the place of ``path`` when the block ends well; else nothing is left of it.

    Folders on the way are made. Raises OSError.
    """
    draft = new_draft(path)
    try:
        with draft.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        put(draft, path)
    except BaseException:
        remove(draft)
        raise


@contextmanager
def whole_folder(path: Path, *, replace: bool = False) -> Iterator[Path]:
    """A folder to fill, which becomes ``path`` when the block ends well; else nothing is left of it.

    With ``replace`` it takes the place of a folder that is there, otherwise that is an error. Raises OSError.
    """
    draft = new_folder_draft(path)
    try:
        yield draft
        flush(draft)
        put(draft, path, replace=replace)
    except BaseException:
        remove(draft)
        raise


def write_whole(path: Path, content: str | bytes) -> None:
    """Write a whole file; a text as UTF-8. Raises OSError."""
    with whole_file(path) as file:
        file.write(content.encode() if isinstance(content, str) else content)


def write_together(files: Sequence[tuple[Path, bytes]]) -> None:
    """Write whole files and bring them to the disk side by side, where its journal then takes all of them in one turn.

    A power cut on the way may leave any of them empty under its own name: count on none before this returns, and
    remove them all when it raises OSError.
    """
    for path, content in files:
        draft = new_draft(path)
        try:
            draft.write_bytes(content)
            draft.rename(path)
        except BaseException:
            remove(draft)
            raise
    paths = [path for path, _content in files]
    with ThreadPoolExecutor(_FLUSHED_AT_ONCE) as threads:
        list(threads.map(fsync, [*paths, *{path.parent for path in paths}]))


# The single steps, for what is filled in one place and put in its place in another.


def new_draft(path: Path) -> Path:
    """A name beside ``path`` that nothing has yet."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.with_name(f"{DRAFT}{path.name}-{uuid.uuid4().hex[:8]}")


def new_folder_draft(path: Path) -> Path:
    """An empty folder beside ``path``; old ones that never became ``path`` are swept."""
    draft = new_draft(path)
    sweep(drafts(path))
    draft.mkdir()
    return draft


def flush(path: Path) -> None:
    """Bring a file, or a folder with all that is in it, to the disk."""
    if path.is_file():
        fsync(path)
    inside = (Path(parent, name) for parent, _folders, names in os.walk(path) for name in [*names, ""])
    with ThreadPoolExecutor(_FLUSHED_AT_ONCE) as threads:
        # Side by side the disk's journal takes many of them in one turn.
        list(threads.map(fsync, inside))


def put(draft: Path, path: Path, *, replace: bool = False) -> None:
    """Give a draft that is on the disk its name. A file always takes the place of another one."""
    if replace and path.is_dir():
        _exchange(draft, path)
        remove(draft)
    else:
        draft.rename(path)
    # The name itself, so that a row never names what was lost with the power.
    fsync(path.parent)


def drafts(path: Path) -> Iterable[Path]:
    """What was begun of ``path`` and has not become it."""
    return path.parent.glob(f"{DRAFT}{glob.escape(path.name)}-{'[0-9a-f]' * 8}")


def sweep(found: Iterable[Path], after: float = LEFT_AFTER_SECONDS) -> None:
    """Delete those of the drafts that a process left behind; ``after`` 0: all, where nobody else writes."""
    for draft in list(found):
        with suppress(FileNotFoundError):
            if not after or draft.stat().st_mtime <= now_in(draft.parent) - after:
                remove(draft)


def now_in(folder: Path) -> float:
    """Seconds since 1970, by the clock that stamps the files of an existing folder. Raises OSError.

    How old a file is can only be told by that clock, which all machines that mount the folder share: a process whose
    own clock is wrong would take a file of this minute for one of yesterday.
    """
    # It has no name where the file system can do that, so that nobody meets it.
    with tempfile.TemporaryFile(dir=folder) as stamped:
        return os.fstat(stamped.fileno()).st_mtime


def remove(path: Path) -> None:
    """Delete a file, or a folder with all that is in it, as far as that can be done."""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink(missing_ok=True)


def fsync(path: Path) -> None:
    """Bring the content of one file, or the names in one folder, to the disk. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _exchange(draft: Path, path: Path) -> None:
    """Swap the names of two folders in one step; in three on a disk or system that cannot."""
    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if rename:
        names = (_AT_FDCWD, os.fsencode(draft), _AT_FDCWD, os.fsencode(path))
        if rename(*names, _RENAME_EXCHANGE) == 0:
            return
        if (code := ctypes.get_errno()) not in (errno.EINVAL, errno.ENOSYS):
            raise OSError(code, os.strerror(code), str(path))
    aside = draft.with_name(f"{draft.name}-old")
    path.rename(aside)
    try:
        draft.rename(path)
    except OSError:
        aside.rename(path)
        raise
    aside.rename(draft)
