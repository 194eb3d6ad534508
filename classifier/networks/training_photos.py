"""The photos a model has learnt from, known by their hashes: a file beside its weights. Pure, no torch.

With it the search for leaks covers a model wherever it is taken: not one photo leaves the place it was trained in,
and a photo is found again by its content or by its likeness. Hashes have no salt, for they are compared with those
of other places.
"""

import csv
import hashlib
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from classifier.networks import beside
from classifier.networks.manifest import PHOTOS_FILE, Manifest, ModelRejected, write_manifest
from skinclinic import imaging
from skinclinic.files.whole import write_whole

COLUMNS = ("content_sha256", "upload_sha256", "phash")
LARGEST_FILE = 64 * 1024 * 1024
_SHA256 = re.compile(r"[0-9a-f]{64}")
_PHASH = re.compile(r"[0-9a-f]{16}")
_BITS = 64


@dataclass(frozen=True, order=True)
class TrainingPhoto:
    """SHA-256 of the photo as it is stored and as it was sent ("" for not known), and its perceptual hash, a signed
    64-bit number (None: not known)."""

    content_sha256: str
    upload_sha256: str = ""
    phash: int | None = None

    @classmethod
    def of_upload(cls, data: bytes) -> "TrainingPhoto":
        """Of a file as the product would store it. Raises imaging.PhotoRejected."""
        accepted = imaging.accept(data)
        return cls(imaging.sha256(accepted.jpeg), accepted.sha256, imaging.perceptual_hash(accepted.jpeg))


def to_bytes(photos: Iterable[TrainingPhoto]) -> bytes:
    """The file: CSV, each photo once, in the order of the hashes, so that the same photos are the same bytes."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    first: dict[str, TrainingPhoto] = {}
    for photo in photos:
        first.setdefault(photo.content_sha256, photo)
    for _content, photo in sorted(first.items()):
        phash = "" if photo.phash is None else f"{photo.phash % (1 << _BITS):016x}"
        writer.writerow((photo.content_sha256, photo.upload_sha256, phash))
    return text.getvalue().encode("ascii")


def describe(content: bytes, *, is_complete: bool) -> dict[str, Any]:
    """What a manifest says of the file. ``is_complete``: the photos of what the model began from are in it, too."""
    return {
        "file": PHOTOS_FILE,
        "sha256": hashlib.sha256(content).hexdigest(),
        "photos": content.count(b"\n") - 1,
        "complete": is_complete,
    }


def add(folder: Path, manifest: Manifest, photos: Iterable[TrainingPhoto], *, is_complete: bool) -> Manifest:
    """Write the file into a model's folder, and its hash into the manifest there; return the manifest."""
    content = to_bytes(photos)
    manifest = replace(manifest, training_photos=describe(content, is_complete=is_complete))
    put(folder, manifest, content)
    return manifest


def put(folder: Path, manifest: Manifest, content: bytes) -> None:
    """Write a file of photos and the manifest that describes it; each appears whole or not at all."""
    write_whole(Path(folder) / PHOTOS_FILE, content)
    write_manifest(folder, manifest)


def read(folder: Path, manifest: Manifest) -> list[TrainingPhoto]:
    """The photos that the manifest speaks of; [] where it speaks of none. Raises ModelRejected."""
    if not manifest.training_photos:
        return []
    content = read_bytes(folder)
    if hashlib.sha256(content).hexdigest() != manifest.training_photos["sha256"]:
        raise ModelRejected(
            "photos_wrong_hash", f"{PHOTOS_FILE} is not the file the manifest describes: its SHA-256 differs."
        )
    try:
        lines = list(csv.reader(io.StringIO(content.decode("ascii"))))
        if not lines or tuple(lines[0]) != COLUMNS:
            raise ValueError(f"its columns must be {', '.join(COLUMNS)}")
        photos = [_photo(number, line) for number, line in enumerate(lines[1:], start=2)]
    except (ValueError, csv.Error) as error:
        raise ModelRejected("photos_unreadable", f"{PHOTOS_FILE} cannot be read: {error}.") from error
    if len(photos) != manifest.training_photos["photos"]:
        raise ModelRejected(
            "photos_unreadable",
            f"{PHOTOS_FILE} lists {len(photos)} photos, the manifest speaks of "
            f"{manifest.training_photos['photos']}.",
        )
    return photos


def read_bytes(folder: Path) -> bytes:
    """The file as it is. Raises ModelRejected."""
    return beside.read_bytes(
        Path(folder) / PHOTOS_FILE,
        LARGEST_FILE,
        missing=ModelRejected(
            "photos_missing",
            f"The manifest names {PHOTOS_FILE}, the hashes of the photos the model was trained on, and the file is "
            "not there. Add it.",
        ),
        unreadable="photos_unreadable",
    )


def _photo(number: int, line: list[str]) -> TrainingPhoto:
    if len(line) != len(COLUMNS):
        raise ValueError(f"line {number} has {len(line)} cells")
    content, upload, phash = line
    if not _SHA256.fullmatch(content) or (upload and not _SHA256.fullmatch(upload)):
        raise ValueError(f"line {number} has no SHA-256")
    if phash and not _PHASH.fullmatch(phash):
        raise ValueError(f"line {number} has no perceptual hash")
    return TrainingPhoto(content, upload, _signed(int(phash, 16)) if phash else None)


def _signed(value: int) -> int:
    return value - (1 << _BITS) if value >> (_BITS - 1) else value
