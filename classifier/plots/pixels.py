"""A page of a drawing in pixels, so that pixels and print never differ. Pure."""

import io
from contextlib import closing
from threading import Lock

import pypdfium2
from PIL import Image

# Twice a screen's: what a page of the drawing's own size is shown at.
SCREEN = 192
# PDFium serves one thread at a time; its part takes a tenth of the time, the compression the rest.
_pdfium = Lock()


def to_png(page: bytes, dpi: int = SCREEN) -> bytes:
    """What ``pdf.to_pdf`` wrote as PNG, on white; it says how many pixels an inch has."""
    buffer = io.BytesIO()
    # Higher levels of compression hardly gain more and take long.
    _painted(page, dpi).save(buffer, "PNG", dpi=(dpi, dpi), compress_level=4)
    return buffer.getvalue()


def to_tiff(page: bytes, dpi: int) -> bytes:
    """The same as TIFF without transparency, compressed without loss (LZW)."""
    buffer = io.BytesIO()
    _painted(page, dpi).convert("RGB").save(buffer, "TIFF", dpi=(dpi, dpi), compression="tiff_lzw")
    return buffer.getvalue()


def _painted(page: bytes, dpi: int) -> Image.Image:
    with (
        _pdfium,
        closing(pypdfium2.PdfDocument(page)) as document,
        closing(document[0]) as first,
        closing(first.render(scale=dpi / 72)) as bitmap,
    ):
        image: Image.Image = bitmap.to_pil().copy()
        return image
