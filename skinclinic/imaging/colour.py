"""Any pixel layout and colour profile to plain 8-bit sRGB that looks the same."""

from functools import lru_cache
from io import BytesIO

import numpy as np
from PIL import Image, ImageCms

from . import named_colour, named_profiles
from .bands import Part, bands, instead, made
from .spaces import Space

_SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
_SPACE_OF_MODE = {"RGB": "RGB", "L": "GRAY", "CMYK": "CMYK"}
_LARGEST_PROFILE = 4 * 1024 * 1024
# Two levels of 255 cannot be seen; the many published "sRGB" profiles differ by that much.
_SAME_LEVELS = 2


def to_srgb(
    image: Image.Image, profile: bytes | None, space: Space | None = None
) -> tuple[Image.Image, tuple[str, ...]]:
    """(RGB image in sRGB, codes of what was changed). May change `image` in place.

    `profile` is the ICC profile of the pixels and `space` what the file names instead; neither means sRGB, or plain
    CMYK. Transparent parts are put on white. A profile that cannot be used is ignored and noted. Where
    `image.info["low"]` holds the lower bytes of 16 bits, they are used.
    """
    notes = []
    low = image.info.pop("low", None)
    image, alpha = _split_alpha(_to_eight_bits(image))
    space = space or named_profiles.hdr(profile or b"")
    if space and image.mode in ("RGB", "L"):
        image, note = _apply_space(_rgb(image), low, space)
        if note:
            notes.append(note)
    elif profile:
        image, note = _apply_profile(image, profile)
        if note:
            notes.append(note)
    elif image.mode == "CMYK":
        notes.append("inks_without_profile")
    image = _rgb(image)
    if alpha is not None and alpha.histogram()[255] < alpha.width * alpha.height:
        _put_on_white(image, alpha)
        notes.append("alpha_flattened")
    return image, tuple(notes)


def _to_eight_bits(image: Image.Image) -> Image.Image:
    """16-bit grey scaled to 8 bits; Pillow's own conversion clips it instead."""
    if not image.mode.startswith("I"):
        return image

    def levels(part: Part) -> np.ndarray:
        return np.asarray(image.crop(part)).astype(np.int32).clip(0, 65535)

    scaled = made("L", image.size, lambda part: ((levels(part) + 128) // 257).astype(np.uint8))
    transparent = image.info.get("transparency")
    if isinstance(transparent, int):
        opaque = made("L", image.size, lambda part: (levels(part) != transparent).astype(np.uint8) * 255)
        scaled.putalpha(opaque)
    return instead(scaled, image)


def _split_alpha(image: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    if image.has_transparency_data:
        grey = image.mode in ("L", "LA")
        image = _in_mode("LA" if grey else "RGBA", image)
        alpha = image.getchannel("A")
        return _in_mode("L" if grey else "RGB", image), alpha
    return (image if image.mode in _SPACE_OF_MODE else _in_mode("RGB", image)), None


def _in_mode(mode: str, image: Image.Image) -> Image.Image:
    return image if image.mode == mode else instead(image.convert(mode), image)


def _rgb(image: Image.Image) -> Image.Image:
    return _in_mode("RGB", image)


def _put_on_white(image: Image.Image, alpha: Image.Image) -> None:
    for part in bands(image.size):
        white = Image.new("RGB", (part[2], part[3] - part[1]), "white")
        white.paste(image.crop(part), mask=alpha.crop(part))
        image.paste(white, part)


def _apply_space(image: Image.Image, low: Image.Image | None, space: Space) -> tuple[Image.Image, str | None]:
    if named_colour.is_like_srgb(space):
        return image, None
    return named_colour.convert(image, low, space), "hdr_to_srgb" if space.is_hdr else "converted_to_srgb"


def _apply_profile(image: Image.Image, data: bytes) -> tuple[Image.Image, str | None]:
    try:
        if len(data) > _LARGEST_PROFILE:
            return image, "profile_ignored"
        profile = ImageCms.ImageCmsProfile(BytesIO(data))
        space = profile.profile.xcolor_space.strip()
        if space == "RGB":
            if _is_srgb(data):
                return image, None
            image = _rgb(image) if image.mode == "L" else image
        elif space == "GRAY" and image.mode == "RGB" and _is_grey(image):
            image = _in_mode("L", image)
        if _SPACE_OF_MODE[image.mode] != space:
            return image, "profile_ignored"
        transform = ImageCms.buildTransform(profile, _SRGB, image.mode, "RGB")
        # In place it returns None, and the picture is converted.
        converted = ImageCms.applyTransform(image, transform, inPlace=image.mode == "RGB")
        return instead(converted, image) if converted else image, "converted_to_srgb"
    except (ImageCms.PyCMSError, OSError, ValueError):
        return image, "profile_ignored"


def _is_grey(image: Image.Image) -> bool:
    """Whether the channels are the same: some formats and decoders know no grey."""
    for part in bands(image.size):
        red, green, blue = image.crop(part).split()
        if not red.tobytes() == green.tobytes() == blue.tobytes():
            return False
    return True


@lru_cache(maxsize=8)
def _is_srgb(data: bytes) -> bool:
    """Whether a profile leaves a lattice of colours where sRGB has them; its name proves nothing."""
    levels = np.arange(0, 256, 51, dtype=np.uint8)
    lattice = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(1, -1, 3)
    transform = ImageCms.buildTransform(ImageCms.ImageCmsProfile(BytesIO(data)), _SRGB, "RGB", "RGB")
    moved = np.asarray(ImageCms.applyTransform(Image.fromarray(lattice), transform))
    return int(np.abs(moved.astype(int) - lattice).max()) <= _SAME_LEVELS
