"""JPEG: markers walked by hand (ITU-T T.81 annex B), pixels decoded by Pillow."""

import re
from io import BytesIO

from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile, get_sampling

from .header import Header
from .refusals import PhotoRejected

NAME = "JPEG"

_START, _END, _SCAN, _APP2 = 0xD8, 0xD9, 0xDA, 0xE2
_STANDALONE = {0x01, *range(0xD0, 0xD8)}
_FRAMES = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_AFTER_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
# Each scan of a progressive file passes over the whole picture; cameras write about ten.
_MOST_SCANS = 100


def inspect(data: bytes) -> Header:
    """Size and extent of the first picture. Raises PhotoRejected if the markers lead nowhere."""
    width = height = scans = 0
    multiple = False
    position = 2
    while True:
        position = data.find(b"\xff", position)
        if position < 0:
            raise PhotoRejected("damaged", kind=NAME)
        while data[position : position + 1] == b"\xff":
            position += 1
        if position >= len(data):
            raise PhotoRejected("damaged", kind=NAME)
        marker = data[position]
        position += 1
        if marker == _END:
            break
        if marker == 0 or marker == _START or marker in _STANDALONE:
            continue
        length = int.from_bytes(data[position : position + 2])
        if length < 2 or position + length > len(data):
            raise PhotoRejected("damaged", kind=NAME)
        segment = data[position + 2 : position + length]
        position += length
        if marker in _FRAMES:
            if len(segment) < 6:
                raise PhotoRejected("damaged", kind=NAME)
            height = max(height, int.from_bytes(segment[1:3]))
            width = max(width, int.from_bytes(segment[3:5]))
        elif marker == _APP2 and segment.startswith(b"MPF\0"):
            multiple = True
        elif marker == _SCAN:
            scans += 1
            if scans > _MOST_SCANS:
                raise PhotoRejected("decompression_bomb", kind=NAME)
            found = _AFTER_SCAN.search(data, position)
            if not found:
                raise PhotoRejected("damaged", kind=NAME)
            position = found.start()
    if not width or not height or not scans:
        raise PhotoRejected("damaged", kind=NAME)
    tail = data[position:].strip(b"\0") if position < len(data) else b""
    if not tail:
        return Header(width, height, data)
    note = "first_frame_only" if multiple and tail.startswith(b"\xff\xd8\xff") else "tail_removed"
    return Header(width, height, data[:position], (note,))


def decode(payload: bytes) -> Image.Image:
    """The picture, fully decoded. `JpegImageFile` and not `Image.open`, which would follow further frames."""
    image = JpegImageFile(BytesIO(payload))
    image.load()
    return image


def subsampling(image: JpegImageFile) -> str:
    """Chroma subsampling of the source, so that storing it neither loses nor invents chroma detail."""
    return {0: "4:4:4", 1: "4:2:2"}.get(get_sampling(image), "4:2:0")
