"""HEIC: sizes read from the container by hand (ISO/IEC 23008-12), pixels decoded by libheif (pillow-heif)."""

import struct

import pillow_heif
from PIL import Image

from .header import Header
from .heif_boxes import decoded_pixels, end_of_boxes
from .profiles import BT2020, DISPLAY_P3, matrix_profile
from .refusals import PhotoRejected

NAME = "HEIC"

# Colour primaries of ISO/IEC 23091-2 that need converting; the rest is close to sRGB.
_WIDE_PRIMARIES = {9: BT2020, 12: DISPLAY_P3}


def inspect(data: bytes) -> Header:
    """Size of the primary picture after its cropping and turning, and the pixels it takes to get there.

    A small picture can be cut out of a huge one, or be tiled from the same large tile a thousand times, so the
    sizes of all parts are read from the container; libheif then holds the parts to them.
    """
    try:
        end = end_of_boxes(data)
        container = pillow_heif.open_heif(data[:end])
        width, height = container.size
        exif = container.info.get("exif") or b""
        pixels = decoded_pixels(data[:end])
    except (ValueError, EOFError, SyntaxError, RuntimeError, OSError, IndexError, struct.error) as error:
        raise PhotoRejected("damaged", kind=NAME) from error
    notes = ["first_frame_only"] if len(container) > 1 else []
    if data[end:].strip(b"\0"):
        notes.append("tail_removed")
    return Header(
        width,
        height,
        data[:end],
        exif=exif.removeprefix(b"Exif\0\0"),
        turns=False,
        notes=tuple(notes),
        decoded_pixels=pixels,
    )


def decode(payload: bytes) -> Image.Image:
    """The primary picture, fully decoded; libheif has applied its rotation and mirroring."""
    picture = pillow_heif.open_heif(payload)
    mode = picture.mode
    image = Image.frombytes(mode, picture.size, picture.data, "raw", mode, picture.stride)
    nclx = picture.info.get("nclx_profile") or {}
    primaries = _WIDE_PRIMARIES.get(nclx.get("color_primaries", 0))
    profile = picture.info.get("icc_profile") or (primaries and matrix_profile(primaries))
    if profile:
        image.info["icc_profile"] = profile
    image.info["chroma"] = picture.info.get("chroma")
    return image


def subsampling(image: Image.Image) -> str:
    """Chroma subsampling of the source, so that storing it neither loses nor invents chroma detail."""
    return {444: "4:4:4", 422: "4:2:2"}.get(image.info["chroma"], "4:2:0")
