"""A drawing as PDF: lines, shapes and text stay what they are, so that it prints at any size. Pure.

Lines and shapes are written as PDF operators: reportlab's own ways of it take several times as long.
"""

import io
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

from reportlab import rl_config
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.pdfdoc import PDFDictionary, PDFInfo, PDFString
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from classifier.plots.canvas import CIRCLE, COLOURS, DASHES, Box, Dot, Drawing, Line, Mark, Shape, Text
from classifier.plots.letters import FONT_FILE

FONT = "Pretendard"
# A pixel of the drawing is 3/4 of a point, as browsers print it.
SCALE = 0.75
MM = 72 / 25.4
# How far the handles of a quarter circle reach.
_ROUND = 0.5523

# Letters instead of bytes would be a quarter larger and slower; every reader of PDF takes bytes.
rl_config.useA85 = 0
# It reads the one font file for every document, which two threads cannot do at a time.
_reportlab = Lock()


def use_font(font_file: Path = FONT_FILE) -> None:
    """Make reportlab know the font that every PDF is written in."""
    if FONT not in pdfmetrics.getRegisteredFontNames():
        pdfmetrics.registerFont(TTFont(FONT, str(font_file)))


class _Info(PDFInfo):
    """What a file says of itself: the day its numbers were computed, or no day at all; never an invented one."""

    def __init__(self, drawing: Drawing):
        super().__init__()
        self.title, self.subject, self.made = drawing.title, drawing.origin, drawing.made

    def format(self, document: Any) -> Any:
        said = {
            "Title": self.title,
            "Creator": "SkinClinic",
            "Author": "SkinClinic",
            "Producer": self.producer,
        }
        if self.subject:
            said["Subject"] = self.subject
        if self.made:
            said["CreationDate"] = said["ModDate"] = f"D:{self.made:%Y%m%d%H%M%S}Z"
        return PDFDictionary({name: PDFString(value) for name, value in said.items()}).format(document)


def to_pdf(drawing: Drawing, width_mm: float | None = None) -> bytes:
    """One page of the drawing's size, or ``width_mm`` wide. The font is embedded; no other is named."""
    with _reportlab:
        return _written(drawing, width_mm)


def _written(drawing: Drawing, width_mm: float | None) -> bytes:
    use_font()
    scale = width_mm * MM / drawing.width if width_mm else SCALE
    out = io.BytesIO()
    # invariant: the same drawing gives the same bytes.
    page = Canvas(
        out, pagesize=(drawing.width * scale, drawing.height * scale), invariant=True, initialFontName=FONT
    )
    page._doc.info = _Info(drawing)
    # Counted downwards, as the drawing is.
    page.addLiteral(f"{scale:.6f} 0 0 {scale:.6f} 0 0 cm 1 j")
    paint(page, drawing)
    page.showPage()
    page.save()
    return out.getvalue()


def paint(page: Canvas, drawing: Drawing) -> None:
    """Paint all marks where the page's origin is, a point a pixel."""
    page.setLineJoin(1)
    for mark in drawing.marks:
        _draw(page, mark, drawing.height)


def _draw(page: Canvas, mark: Mark, height: float) -> None:
    """Paint a mark; PDF counts y upwards."""
    if isinstance(mark, Line):
        dash = " ".join(f"{length:g}" for length in DASHES[mark.dash])
        path = _path((x, height - y) for x, y in mark.points)
        page.addLiteral(f"{_rgb(mark.colour)} RG {mark.width:g} w [{dash}] 0 d {path} S [] 0 d")
    elif isinstance(mark, Box):
        # Mixed with the white below it: journals do not take transparency.
        place = f"{mark.x:.2f} {height - mark.y - mark.height:.2f} {mark.width:.2f} {mark.height:.2f}"
        page.addLiteral(f"{mixed(mark.colour, mark.opacity)} rg {place} re f")
    elif isinstance(mark, Dot):
        page.addLiteral(f"{_rgb(mark.colour)} rg {_circle(mark.x, height - mark.y, mark.radius)} f")
    elif isinstance(mark, Shape):
        _shape(page, mark, height)
    else:
        _write(page, mark, height)


@cache
def _rgb(colour: str) -> str:
    return mixed(colour, 1)


@cache
def mixed(colour: str, opacity: float) -> str:
    code = COLOURS[colour]
    shares = (int(code[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return " ".join(f"{1 - opacity * (1 - share):.4f}" for share in shares)


def _path(points: Iterable[tuple[float, float]]) -> str:
    return " l ".join(f"{x:.2f} {y:.2f}" for x, y in points).replace(" l ", " m ", 1) + " l"


def _circle(x: float, y: float, radius: float) -> str:
    far, near = radius, _ROUND * radius
    parts = [f"{x + far:.2f} {y:.2f} m"]
    for a, b in ((1, 1), (-1, 1), (-1, -1), (1, -1)):
        # Quarter by quarter, against the clock.
        handles: tuple[tuple[float, float], ...]
        if a == b:
            handles = ((far * a, near * b), (near * a, far * b), (0, far * b))
        else:
            handles = ((near * a, far * b), (far * a, near * b), (far * a, 0))
        parts.append(" ".join(f"{x + dx:.2f} {y + dy:.2f}" for dx, dy in handles) + " c")
    return " ".join(parts)


def _shape(page: Canvas, mark: Shape, height: float) -> None:
    if mark.shape == CIRCLE:
        path = _circle(mark.x, height - mark.y, mark.radius)
    else:
        path = _path((x, height - y) for x, y in mark.corners)
    paint = "s" if mark.hollow else "b"
    page.addLiteral(f"{_rgb(mark.colour)} rg {_rgb(mark.rim)} RG {mark.rim_width:g} w {path} {paint}")


def _write(page: Canvas, mark: Text, height: float) -> None:
    font, document = pdfmetrics.getFont(FONT), page._doc
    turn = "0 1 -1 0" if mark.turned else "1 0 0 1"
    # There is one weight of the font: a rim of the same colour makes it heavier.
    heavy = f"{_rgb(mark.colour)} RG {mark.rim:g} w 2 Tr " if mark.bold else ""
    letters = " ".join(
        f"{font.getSubsetInternalName(subset, document)} {mark.size:g} Tf ({page._escape(part)}) Tj"
        for subset, part in font.splitString(mark.text, document)
    )
    page.addLiteral(
        f"q {turn} {mark.x:.2f} {height - mark.y:.2f} cm "
        f"BT {_rgb(mark.colour)} rg {heavy}1 0 0 1 {mark.start:.6f} 0 Tm {letters} ET Q"
    )
