"""A page of a drawing in pixels, so that pixels and print never differ. Pure."""

import io
import zlib
from contextlib import closing
from ctypes import c_ubyte
from threading import Lock
from typing import Any

import numpy as np
import pypdfium2
from PIL import Image
from PIL.PngImagePlugin import putchunk

_INCH = 0.0254
# Twice a screen's: what a page of the drawing's own size is shown at.
SCREEN = 192
_COLOURS = 3
# PDFium serves one thread at a time; its part takes a tenth of the time, the compression the rest.
_pdfium = Lock()


def to_png(page: bytes, dpi: int = SCREEN) -> bytes:
    """What ``pdf.to_pdf`` wrote as PNG, on white; it says how many pixels an inch has.

    Rows are left as they are: Pillow tries five filters on each, which takes three times as long and makes pictures
    of lines and letters no smaller.
    """
    rows = _painted(page, dpi)
    height, width = len(rows), rows.shape[1] // _COLOURS
    size, per_metre = (number.to_bytes(4, "big") for number in (width, height)), round(dpi / _INCH)
    buffer = io.BytesIO(b"\x89PNG\r\n\x1a\n")
    buffer.seek(0, io.SEEK_END)
    # Eight bits each of red, green and blue.
    putchunk(buffer, b"IHDR", *size, bytes((8, 2, 0, 0, 0)))
    putchunk(buffer, b"pHYs", *(2 * [per_metre.to_bytes(4, "big")]), b"\x01")
    # Higher levels of compression hardly gain more and take long.
    putchunk(buffer, b"IDAT", zlib.compress(rows.data, 1))
    putchunk(buffer, b"IEND", b"")
    return buffer.getvalue()


def to_tiff(page: bytes, dpi: int) -> bytes:
    """The same as TIFF without transparency, compressed without loss (LZW)."""
    buffer = io.BytesIO()
    rows = _painted(page, dpi)
    pixels = rows[:, 1:].reshape(len(rows), -1, _COLOURS)
    Image.fromarray(pixels).save(buffer, "TIFF", dpi=(dpi, dpi), compression="tiff_lzw")
    return buffer.getvalue()


def _painted(page: bytes, dpi: int) -> np.ndarray:
    """Rows as PNG has them [height, 1 + 3 · width]: how each is filtered (0: not), then the colours of its pixels.

    PDFium paints where they belong: to copy them takes a fifth as long as painting.
    """
    made: list[np.ndarray] = []

    def bitmap(width: int, height: int, **look: Any) -> pypdfium2.PdfBitmap:
        step = 1 + _COLOURS * width
        memory = np.empty(height * step + 1, np.uint8)
        made.append(memory[:-1].reshape(height, step))
        shared = (c_ubyte * (height * step)).from_buffer(memory, 1)  # type: ignore[arg-type]  # it is a buffer
        return pypdfium2.PdfBitmap.new_native(width, height, buffer=shared, stride=step, **look)

    with (
        _pdfium,
        closing(pypdfium2.PdfDocument(page)) as document,
        closing(document[0]) as first,
        closing(first.render(scale=dpi / 72, rev_byteorder=True, bitmap_maker=bitmap)),
    ):
        (rows,) = made
        rows[:, 0] = 0
    return rows
