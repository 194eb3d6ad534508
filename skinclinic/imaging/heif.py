"""HEIC: size and sanity read from the container by hand, pixels decoded by libheif (pillow-heif)."""

import pillow_heif
from PIL import Image

from .header import Header
from .refusals import PhotoRejected

NAME = "HEIC"


def inspect(data: bytes) -> Header:
    """Size of the primary picture as libheif declares it; nothing is decoded yet."""
    try:
        container = pillow_heif.open_heif(data)
        width, height = container.size
    except (ValueError, EOFError, SyntaxError, RuntimeError, OSError, IndexError) as error:
        raise PhotoRejected("damaged", kind=NAME) from error
    return Header(width, height, data, ("first_frame_only",) if len(container) > 1 else ())


def decode(payload: bytes) -> Image.Image:
    """The primary picture, fully decoded; libheif has applied its rotation and mirroring."""
    return pillow_heif.open_heif(payload).to_pillow()
