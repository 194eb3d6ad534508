"""HEIC: sizes read from the container by hand (ISO/IEC 23008-12), pixels decoded by libheif (pillow-heif)."""

import struct
from collections.abc import Callable

import numpy as np
import pillow_heif
from PIL import Image

from . import bands, heif_boxes, heif_items
from .exif import block
from .header import Header
from .heif_boxes import decoded_pixels, end_of_boxes
from .refusals import PhotoRejected
from .spaces import PLAIN, Space, by_code

NAME = "HEIC"
_TONE_MAP = b"tmap"
_MAPS_BESIDE = ("gainmap", "21496", "depth", "disparity", "matte")


def inspect(data: bytes, name: str = NAME) -> Header:
    """Size of the primary picture after its cropping and turning, and the pixels it takes to get there.

    A small picture can be cut out of a huge one, or be tiled from the same large tile a thousand times, so the
    sizes of all parts are read from the container; libheif then holds the parts to them.
    """
    try:
        end = end_of_boxes(data)
        container = pillow_heif.open_heif(data[:end])
        width, height = container.size
        exif, xmp = (container.info.get(name) or b"" for name in ("exif", "xmp"))
        pixels = decoded_pixels(data[:end])
        has_tone_map = _TONE_MAP in {kind for _item, kind in heif_items.kinds(heif_boxes.meta(data[:end]))}
    except (ValueError, EOFError, SyntaxError, RuntimeError, OSError, IndexError, struct.error) as error:
        raise PhotoRejected("damaged", kind=name) from error
    notes = _notes(container, has_tone_map)
    if data[end:].strip(b"\0"):
        notes.append("tail_removed")
    space, is_known = _space(container)
    # Deep pictures are those of HDR, whose colours may stand in their stream alone, where they are not looked for.
    is_silent = name == NAME and not {"nclx_profile", "icc_profile"} & set(container.info)
    if not is_known or (is_silent and container.info.get("bit_depth", 8) > 8):
        notes.append("profile_ignored")
    return Header(
        width,
        height,
        data[:end],
        exif=block(exif),
        xmp=xmp,
        turns=False,
        space=space,
        notes=tuple(notes),
        decoded_pixels=pixels,
    )


def _notes(container: "pillow_heif.HeifFile", has_tone_map: bool) -> list[str]:
    """What is said of the other pictures of the file, which are not kept."""
    # The second picture of a tone map only says how to brighten the first.
    if len(container) > (2 if has_tone_map else 1):
        return ["main_picture_only" if container.primary_index else "first_frame_only"]
    beside = " ".join(container.info.get("aux", ())).lower()
    if has_tone_map or container.info.get("depth_images") or any(name in beside for name in _MAPS_BESIDE):
        return ["gain_map_removed"]
    return []


def _space(container: "pillow_heif.HeifFile") -> tuple[Space | None, bool]:
    """(the space that the container names, whether it could be understood)."""
    named = container.info.get("nclx_profile")
    if not named or container.info.get("icc_profile"):
        return None, True
    space = by_code(named.get("color_primaries", 2), named.get("transfer_characteristics", 2))
    # What says no more than "as usual" leaves it to EXIF to say otherwise.
    return space if space != PLAIN else None, space is not None


def decode(header: Header) -> Image.Image:
    """The primary picture, fully decoded; libheif has applied its rotation and mirroring.

    Where its colours have to be computed, more than 8 bits are kept.
    """
    picture = pillow_heif.open_heif(header.payload, convert_hdr_to_8bit=header.space is None)
    if ";16" in picture.mode:
        image = in_two(np.asarray(picture))
    else:
        mode = picture.mode
        image = Image.frombytes(mode, picture.size, picture.data, "raw", mode, picture.stride)
    if profile := picture.info.get("icc_profile"):
        image.info["icc_profile"] = profile
    image.info["chroma"] = picture.info.get("chroma")
    return image


def in_two(levels: np.ndarray, of: Callable[[np.ndarray], np.ndarray] = np.asarray) -> Image.Image:
    """uint16[height, width(, channels)] as a picture of the upper bytes, which carries one of the lower ones; `of` is
    asked for each band of rows."""
    mode = "L" if levels.ndim == 2 else {1: "L", 3: "RGB", 4: "RGBA"}[levels.shape[2]]
    size = levels.shape[1], levels.shape[0]
    image = bands.made(mode, size, lambda part: (of(bands.rows_of(levels, part)) >> 8).astype(np.uint8))
    image.info["low"] = bands.made(
        mode, size, lambda part: (of(bands.rows_of(levels, part)) & 0xFF).astype(np.uint8)
    )
    return image


def subsampling(image: Image.Image) -> str:
    """Chroma subsampling of the source, so that storing it neither loses nor invents chroma detail."""
    return {444: "4:4:4", 422: "4:2:2"}.get(image.info["chroma"], "4:2:0")
