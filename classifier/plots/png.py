"""A page of a drawing as PNG, so that pixels and print never differ. Pure."""

import io
from contextlib import closing
from threading import Lock

import pypdfium2
from PIL import Image

from classifier.plots.pdf import SCALE

# Pixels for each of the drawing's.
_FINER = 2
# PDFium serves one thread at a time; its part takes a tenth of the time, the compression the rest.
_pdfium = Lock()


def to_png(page: bytes) -> bytes:
    """What ``pdf.to_pdf`` wrote as PNG at twice the drawing's size, on white."""
    buffer = io.BytesIO()
    # Higher levels of compression hardly gain more and take long.
    _painted(page).save(buffer, "PNG", dpi=(72 * _FINER, 72 * _FINER), compress_level=4)
    return buffer.getvalue()


def _painted(page: bytes) -> Image.Image:
    with (
        _pdfium,
        closing(pypdfium2.PdfDocument(page)) as document,
        closing(document[0]) as first,
        closing(first.render(scale=_FINER / SCALE)) as bitmap,
    ):
        image: Image.Image = bitmap.to_pil().copy()
        return image
