"""What each format module says about a file before any pixel is decoded."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Header:
    """Width and height in pixels as stored (before orientation); `payload` is what may reach the decoder:
    the bytes of the first picture without whatever follows it. `notes` are codes of `refusals.NOTES`."""

    width: int
    height: int
    payload: bytes
    notes: tuple[str, ...] = ()
