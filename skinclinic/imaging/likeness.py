"""A perceptual hash: photos that look alike have hashes that differ in few bits."""

from io import BytesIO

import imagehash
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

BITS = 64
# Enough pixels for the hash's 32 × 32 grid, and a decoder reads them from a large JPEG eight times quicker.
_SIDE = 128


def perceptual_hash(jpeg_bytes: bytes) -> int:
    """The 64-bit pHash (sign of the 8 × 8 lowest DCT coefficients) of a stored photo, as a signed number.

    For bytes that `accept` wrote; others raise OSError.
    """
    try:
        image = JpegImageFile(BytesIO(jpeg_bytes))
        image.draft("L", (_SIDE, _SIDE))
        return hash_of(image)
    except SyntaxError as error:
        raise OSError("not a stored photo") from error


def hash_of(image: Image.Image) -> int:
    """The same of an image of any mode and size."""
    bits = imagehash.phash(image).hash.flatten()
    value = int("".join("1" if bit else "0" for bit in bits), 2)
    return value - 2**BITS if value >= 2 ** (BITS - 1) else value
