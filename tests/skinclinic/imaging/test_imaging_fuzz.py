"""Whatever stands in a file, it becomes a photo or a refusal in words; nothing else comes out."""

import functools
import random

import cv2
import numpy as np

from skinclinic import imaging
from tests import photo_bytes as make
from tests.cases import each

TRIES = 60


@functools.cache
def files() -> dict[str, bytes]:
    picture = make.lesion(96, 80)
    deep = np.full((80, 96, 3), 600, np.uint16)
    exif = make.telling_exif(6)
    return {
        "JPEG": make.encoded(picture, "JPEG", exif=exif),
        "JPEG with others": make.jpeg_and_others(
            make.encoded(picture, "JPEG"), (0x050000, make.encoded(picture.convert("L"), "JPEG"))
        ),
        "PNG": make.png_with(make.gama(0.5) + make.cicp(9, 16)),
        "WebP": make.encoded(picture, "WEBP", exif=exif),
        "HEIC": make.with_colours(make.encoded(picture, "HEIF", exif=exif.tobytes()), 9, 16),
        "AVIF": make.with_colours(make.encoded(picture, "AVIF", exif=exif), 12, 13),
        "AVIF film": make.encoded(picture, "AVIF", save_all=True, append_images=[picture]),
        "deep AVIF": make.with_colours(
            cv2.imencode(".avif", deep, [cv2.IMWRITE_AVIF_DEPTH, 10])[1].tobytes(), 9, 16
        ),
        "TIFF": make.encoded(picture, "TIFF", exif=exif),
        "TIFF with LZW": make.encoded(picture, "TIFF", compression="tiff_lzw"),
        "TIFF with Deflate": make.encoded(picture, "TIFF", compression="tiff_adobe_deflate"),
        "TIFF with JPEG": make.encoded(picture, "TIFF", compression="jpeg"),
    }


def spoilt(data: bytes, chance: random.Random) -> bytes:
    """A file with some bytes changed, more often at its ends, where the structures are."""
    changed = bytearray(data)
    for _ in range(chance.choice((1, 2, 5, 20))):
        depth = chance.random() ** chance.choice((1, 3))
        at = int(depth * len(changed)) if chance.random() < 0.5 else -1 - int(depth * min(len(changed), 400))
        changed[at] = chance.choice((0, 1, 127, 128, 255, chance.randrange(256)))
    return bytes(changed)


@each("kind", files())
def test_spoilt_files(kind):
    chance = random.Random(kind)
    for _ in range(TRIES):
        data = spoilt(files()[kind], chance)
        try:
            photo = imaging.accept(data)
        except imaging.PhotoRejected as rejected:
            assert rejected.message
        else:
            assert (
                photo.jpeg.startswith(b"\xff\xd8\xff") and min(photo.width, photo.height) >= imaging.MIN_SIDE
            )


@each("kind", files())
def test_cut_files(kind):
    whole = files()[kind]
    for share in range(5, 100, 5):
        try:
            assert imaging.accept(whole[: len(whole) * share // 100]).width
        except imaging.PhotoRejected as rejected:
            assert rejected.code in ("damaged", "unsupported")
