"""Photos as files on disk, classified without database, web or worker."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Any

from PIL import Image

from classifier.analysing.pipeline import NonFiniteScores, Outcome, analyse
from classifier.runtimes import Runtime
from skinclinic import imaging
from skinclinic.imaging import file_kinds
from skinclinic.imaging.boxes import BoxLike


class FileRejected(ValueError):
    """A file that cannot be classified. ``code`` is stable, ``message`` says to a person what is wrong."""

    def __init__(self, code: str, message: str):
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True)
class Found:
    """A path to classify, or one that gave nothing, with the reason."""

    path: str
    problem: FileRejected | None = None


@dataclass(frozen=True)
class Classified:
    """What came of one path: the square of the photo and the model's outcome, or an error with a reason.

    `notes` are codes of `imaging.NOTES`: what had to be changed before the photo could be looked at.
    """

    path: str
    crop: Image.Image | None = None
    outcome: Outcome | None = None
    notes: tuple[str, ...] = ()
    error: dict[str, Any] | None = None


@dataclass
class PassedOver:
    """Files of folders that are no photos: {what they are: their paths}."""

    by_kind: dict[str, list[str]] = field(default_factory=dict)

    def note(self, kind: str, path: str) -> None:
        self.by_kind.setdefault(kind, []).append(path)

    def lines(self, most: int = 10) -> list[str]:
        """Each kind with its count and some names."""
        return [
            f"Passed over, {kind}: {len(paths)} ({', '.join(paths[:most])}{', …' if len(paths) > most else ''})"
            for kind, paths in sorted(self.by_kind.items())
        ]


def find(paths: Iterable[str], passed_over: PassedOver | None = None) -> list[Found]:
    """Return the files in the order given, a folder replaced by its photos, sorted, from all its levels.

    A photo in a folder is known by its content; what else lies there and is not called one is noted in
    ``passed_over``. Links are not followed there.
    """
    passed_over = passed_over or PassedOver()
    found = []
    for path in paths:
        if not os.path.lexists(path):
            found.append(Found(path, FileRejected("missing", "There is no such file or folder.")))
        elif os.path.isdir(path):
            found += _in_folder(path, passed_over)
        else:
            found.append(Found(path))
    return found


def _in_folder(folder: str, passed_over: PassedOver) -> list[Found]:
    unreadable: list[Found] = []
    photos: list[Path] = []

    def note(error: OSError) -> None:
        unreadable.append(Found(str(error.filename), _unreadable(error)))

    for parent, folders, names in os.walk(folder, onerror=note):
        folders.sort()
        links = [name for name in folders if Path(parent, name).is_symlink()]
        for name in sorted([*names, *links]):
            path = Path(parent, name)
            kind = file_kinds.of_path(path, PurePosixPath(path.relative_to(folder).as_posix()))
            if not kind or (kind not in file_kinds.NEVER_MEANT and file_kinds.is_called_a_photo(path)):
                # What is called a photo and is none gets an entry that says so.
                photos.append(path)
            else:
                passed_over.note(kind, str(path))
    found = [Found(str(path)) for path in sorted(photos)] + unreadable
    return found or [Found(folder, FileRejected("no_photos", "There are no photos in this folder."))]


def classify(
    found: Iterable[Found], runtime: Runtime, *, box: BoxLike | None = None, batch: int = 1
) -> Iterator[Classified]:
    """Classify files, ``batch`` at once, and yield what came of each, in order.

    ``box`` is a square for every photo, in anything `imaging.check_box` takes; without it the largest centred
    square is used. A file that cannot be classified yields its error; none stops the others.
    """
    remaining = iter(found)
    while group := list(islice(remaining, batch)):
        yield from _classify_group([read(item, box) for item in group], runtime)


def read(item: Found, box: BoxLike | None = None) -> Classified:
    """A path's square, not yet classified, or the error that keeps it from being so."""
    try:
        if item.problem:
            raise item.problem
        photo = imaging.accept(_content(Path(item.path)))
        square = (
            imaging.check_box(box, photo.width, photo.height)
            if box is not None
            else imaging.largest_centred_square(photo.width, photo.height)
        )
        crop = imaging.crop(imaging.open_rgb(photo.jpeg), square)
        return Classified(item.path, crop=crop, notes=photo.notes)
    except (FileRejected, imaging.PhotoRejected, imaging.BoxRejected) as error:
        return Classified(item.path, error={"code": error.code, "message": error.message})


def _content(path: Path) -> bytes:
    try:
        if not path.exists():
            raise FileRejected("missing", "This link leads to no file.")
        if not path.is_file():
            raise FileRejected("not_a_file", "This is not a file.")
        size = path.stat().st_size
        if size > imaging.MAX_BYTES:
            # Refused here so that a huge file is never read into memory.
            raise imaging.PhotoRejected(
                "too_large",
                megabytes=f"{size / 2**20:.1f}",
                limit_megabytes=f"{imaging.MAX_BYTES / 2**20:.1f}",
            )
        return path.read_bytes()
    except OSError as error:
        raise _unreadable(error) from error


def _unreadable(error: OSError) -> FileRejected:
    return FileRejected("unreadable", f"It cannot be read: {error.strerror}.")


def _classify_group(group: list[Classified], runtime: Runtime) -> Iterator[Classified]:
    ready = [(item, item.crop) for item in group if item.crop is not None]
    try:
        done = dict(
            zip(
                (id(item) for item, _crop in ready),
                analyse(runtime, [crop for _item, crop in ready]),
                strict=True,
            )
        )
    except NonFiniteScores as error:
        if len(group) > 1:
            # One photo must not spoil the others of its batch.
            for item in group:
                yield from _classify_group([item], runtime)
            return
        yield Classified(group[0].path, error={"code": "scores_not_finite", "message": str(error)})
        return
    for item in group:
        yield replace(item, outcome=done[id(item)]) if id(item) in done else item
