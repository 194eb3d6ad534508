"""Private files, the photos first of all: whole or not there at all, reached by keys made here.

They lie below PHOTOS_DIR, or, where PHOTO_STORAGE names one, in a bucket that several machines share (``on_disk``,
``in_bucket``); whoever uses them need not know. With PHOTO_KEY each is sealed before it is written and opened when it
is read, so that who gets at the disk or the bucket sees none.
"""

import io
import logging
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol

from django.conf import settings
from django.utils.translation import gettext as _

from skinclinic.backups.sealing import HEAD_BYTES, Key, Unreadable
from skinclinic.engine import health
from skinclinic.files import in_bucket, whole
from skinclinic.files.on_disk import Disk
from skinclinic.web.come_back import ComeBack

log = logging.getLogger(__name__)

_JPEG_BEGINS, _JPEG_ENDS = b"\xff\xd8", b"\xff\xd9"


class StorageFull(Exception):
    """The disk could not take the file; nothing was stored."""


class StorageAway(ComeBack, health.WorkerFault):
    """The bucket does not answer, which tells nothing of the photo: pages and programs are told to come back, a job
    waits on and is another worker's meanwhile."""

    def __init__(self, why: str = ""):
        words = _(
            "The storage of the photos does not answer just now. Nothing is lost; try again in a moment."
        )
        Exception.__init__(self, words)
        self.code, self.seconds, self.why = health.STORAGE_AWAY, 5, why


class Sealed(OSError):
    """A file that PHOTO_KEY does not open."""


class Backend(Protocol):
    """Where the bytes are. Raises FileNotFoundError, other OSError, and in_bucket.BucketAway."""

    def write_together(self, files: Mapping[str, bytes]) -> None: ...
    def read(self, key: str) -> bytes: ...
    def open(self, key: str) -> BinaryIO: ...
    def size_of(self, key: str) -> int: ...
    def is_file(self, key: str) -> bool: ...
    def sizes(self, keys: Iterable[str]) -> dict[str, int]: ...
    def ends(self, key: str) -> tuple[bytes, bytes]: ...
    def remove(self, keys: Sequence[str]) -> list[str]: ...
    def is_full(self) -> bool: ...
    def is_there(self) -> bool: ...
    def scan(self) -> Iterator[tuple[str, int, int]]: ...


# f(keys): told of objects of which nobody can say whether they are there, so that they are looked for again later.
uncertain: list[Callable[[Sequence[str]], None]] = []
_disk = Disk()


def bucket() -> in_bucket.Bucket | None:
    """The bucket the photos are in; None where they are files."""
    if not settings.PHOTO_STORAGE:
        return None
    return in_bucket.bucket(
        settings.PHOTO_STORAGE, settings.PHOTO_STORAGE_KEY_ID, settings.PHOTO_STORAGE_SECRET
    )


def place_of(folder: str) -> str:
    """Where the files of a folder lie, as admins are told: below SKINCLINIC_HOME, or in which bucket."""
    there = bucket()
    return (
        f"s3://{there.address.bucket}/{there.address.prefix}{folder}"
        if there
        else f"{settings.PHOTOS_DIR.name}/{folder}"
    )


def _backend() -> Backend:
    return bucket() or _disk


@contextmanager
def _reached() -> Iterator[None]:
    """A bucket that does not answer is said as StorageAway."""
    try:
        yield
    except in_bucket.BucketAway as error:
        raise StorageAway(str(error)) from error


@contextmanager
def storing() -> Iterator[None]:
    """What the disk refuses in the block is said as StorageFull."""
    try:
        with _reached():
            yield
    except OSError as error:
        log.error("cannot store a file: %s", error)
        raise StorageFull(str(error)) from error


def new_key(folder: str, suffix: str = ".jpg") -> str:
    """Return a key below ``folder`` that no file has yet."""
    name = uuid.uuid4().hex
    return f"{folder}/{name[:2]}/{name}{suffix}"


def save(folder: str, data: bytes, suffix: str = ".jpg") -> str:
    """Write ``data`` below ``folder`` and return its key. Raises StorageFull, StorageAway."""
    key = new_key(folder, suffix)
    write(key, data)
    return key


def write(key: str, data: bytes) -> None:
    """Write ``data`` under a new key. Raises StorageFull, StorageAway."""
    write_together({key: data})


def write_together(files: Mapping[str, bytes]) -> None:
    """Write each file under its new key; all of them are there when this returns. Raises StorageFull, StorageAway, and
    then none counts as written: what may be there is removed, now or by the broom."""
    key = _key()
    sealed = {name: b"".join(key.seal([data])) for name, data in files.items()} if key else files
    put(sealed)


def put(files: Mapping[str, bytes]) -> None:
    """The same with bytes as they are to lie there: those of a backup, sealed or not."""
    backend = _backend()
    with storing():
        try:
            backend.write_together(files)
        except Exception:
            if bucket():
                # One whose answer was lost may yet be carried out, whatever is removed now.
                _tell_uncertain(list(files))
                backend.remove(list(files))
            raise


def path_of(key: str) -> Path:
    """The file of a key, where photos are files. Raises ValueError for anything that would leave PHOTOS_DIR."""
    return _disk.path_of(key)


def read(key: str) -> bytes:
    """What was written. Raises FileNotFoundError, Sealed and other OSError, StorageAway."""
    with _reached():
        return _opened(key, _backend().read(key))


def read_as_it_lies(key: str) -> BinaryIO:
    """The bytes of the disk or the bucket, sealed or not: for backups. Raises OSError, StorageAway."""
    with _reached():
        return _backend().open(key)


def open_file(key: str) -> BinaryIO:
    """What was written, to be read a piece at a time. Raises as ``read``."""
    with _reached():
        if not settings.PHOTO_STORAGE and not settings.PHOTO_KEY:
            return _disk.open(key)
        return io.BytesIO(read(key))


def size_of(key: str) -> int:
    """Bytes of what was written. Raises as ``read``."""
    with _reached():
        size = _backend().size_of(key)
        if settings.PHOTO_KEY and _is_sealed(_backend().ends(key)[0]):
            return Key.size_within(size)
    return size


def is_file(key: str) -> bool:
    """Raises StorageAway: where nobody answers, nobody knows."""
    with _reached():
        return _backend().is_file(key)


def sizes(keys: Iterable[str]) -> dict[str, int]:
    """{key: bytes of what was written} of those that are there; asked together, for a bucket tells of a thousand at a
    time. Raises as ``read``."""
    with _reached():
        found = _backend().sizes(keys)
    # What is sealed says itself how much is in it.
    return {key: size_of(key) for key in found} if settings.PHOTO_KEY else found


def missing(keys: Iterable[str]) -> set[str]:
    """Those of many keys that have no file. Raises StorageAway."""
    wanted = set(keys)
    with _reached():
        return wanted - _backend().sizes(wanted).keys()


def as_path(key: str, folder: Path | None) -> Path:
    """A plain file of this machine with what was written, for programs that know no bucket: the stored one itself, or
    a copy in ``folder``, which is the caller's to remove. Raises as ``read``."""
    if not settings.PHOTO_STORAGE and not settings.PHOTO_KEY:
        return _disk.path_of(key)
    if folder is None:
        raise ValueError("a photo that is no plain file needs a folder for its copy")
    copy = folder / key.rpartition("/")[2]
    if not copy.is_file():
        whole.write_whole(copy, read(key))
    return copy


def is_whole_jpeg(key: str) -> bool:
    """Whether the file is there and is a JPEG that was not cut off, by its first and last bytes; a sealed one, whether
    it opens. Raises StorageAway."""
    with _reached():
        try:
            begins, ends = _backend().ends(key)
            if _is_sealed(begins):
                data = read(key)
                begins, ends = data[:2], data[-2:]
            return (begins[:2], ends) == (_JPEG_BEGINS, _JPEG_ENDS)
        except OSError:
            return False


def is_full() -> bool:
    """Whether the disk of the photos has no room for another upload."""
    return _backend().is_full()


def is_there() -> bool:
    """Whether the photos' folder or bucket is there and holds a clinic's: a machine without its volume has none, or an
    empty one."""
    return _backend().is_there()


def delete(*keys: str) -> None:
    """Delete the files of these keys, whole or begun; one that is gone already is no error.

    A file that cannot be deleted now stays behind and is logged; one of a bucket is tried again by the broom.
    """
    if left := _backend().remove(keys):
        _tell_uncertain(left)


def scan() -> Iterator[tuple[str, int, int]]:
    """(key, bytes, nanoseconds since 1970) of all objects of a bucket; nothing where photos are files of the home.
    Raises StorageAway."""
    with _reached():
        yield from _backend().scan()


def bucket_time() -> float | None:
    """Seconds since 1970 by the clock that stamps the objects of the bucket; None where photos are files. Raises
    StorageAway."""
    there = bucket()
    with _reached():
        return there.now() if there else None


def _tell_uncertain(keys: Sequence[str]) -> None:
    for function in uncertain:
        function(keys)


def _key() -> Key | None:
    return Key.of_text(settings.PHOTO_KEY) if settings.PHOTO_KEY else None


def _is_sealed(begins: bytes) -> bool:
    return Key.is_sealed(begins)


def _opened(key: str, data: bytes) -> bytes:
    if not _is_sealed(data[:HEAD_BYTES]):
        return data
    opens = _key()
    if opens is None:
        raise Sealed(13, "the stored photo is sealed, and PHOTO_KEY is not set")
    try:
        return b"".join(opens.open(io.BytesIO(data)))
    except Unreadable as error:
        raise Sealed(13, f"the stored photo {key} does not open: {error}") from error
