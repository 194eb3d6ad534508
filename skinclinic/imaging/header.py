"""What each format module says about a file before any pixel is decoded."""

from dataclasses import dataclass

from .spaces import Space


@dataclass(frozen=True)
class Header:
    """The first picture of a file.

    `width` and `height` are pixels as stored, before orientation. `payload` is all that may reach the decoder:
    the first picture with its colour profile, without metadata and without whatever follows it. `exif` is the
    TIFF block of the EXIF data and `xmp` the XMP packet, empty if there is none; `dates` are what other places say of
    when it was taken; `turns` says whether the orientation of both still has to be applied. `space` is that of the
    colours where the file names one instead of giving a profile. `notes` are codes of `refusals.NOTES`.
    `decoded_pixels` is what the decoder would have to make, where that can be more than width × height.
    """

    width: int
    height: int
    payload: bytes
    exif: bytes = b""
    xmp: bytes = b""
    dates: tuple[str, ...] = ()
    turns: bool = True
    space: Space | None = None
    notes: tuple[str, ...] = ()
    decoded_pixels: int = 0
