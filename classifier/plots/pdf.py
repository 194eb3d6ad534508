"""A drawing as PDF: lines, shapes and text stay what they are, so that it prints at any size. Pure."""

import io
from collections.abc import Sequence
from pathlib import Path

from reportlab.lib.colors import HexColor
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.pdfgen.pathobject import PDFPathObject

from classifier.plots.canvas import CIRCLE, COLOURS, DASHES, Box, Dot, Drawing, Line, Mark, Shape, Text

FONT = "Pretendard"
# A pixel of the drawing is 3/4 of a point, as browsers print it.
SCALE = 0.75
_BOLD_STROKE = 0.3


def use_font(font_file: Path) -> None:
    """Make reportlab know the font that every PDF is written in."""
    if FONT not in pdfmetrics.getRegisteredFontNames():
        pdfmetrics.registerFont(TTFont(FONT, str(font_file)))


def to_pdf(drawing: Drawing, font_file: Path) -> bytes:
    """One page of the drawing's size. ``font_file``: a TrueType font with the characters of the texts."""
    use_font(font_file)
    out = io.BytesIO()
    # invariant: the same drawing gives the same bytes.
    page = Canvas(out, pagesize=(drawing.width * SCALE, drawing.height * SCALE), invariant=True)
    page.setTitle(drawing.title)
    page.setCreator("SkinClinic")
    page.scale(SCALE, SCALE)
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
        page.setStrokeColor(HexColor(COLOURS[mark.colour]))
        page.setLineWidth(mark.width)
        page.setDash(*([list(DASHES[mark.dash])] if mark.dash else []))
        page.drawPath(_path(page, [(x, height - y) for x, y in mark.points]), stroke=1, fill=0)
        page.setDash()
    elif isinstance(mark, Box):
        page.setFillColor(HexColor(COLOURS[mark.colour]), alpha=mark.opacity)
        page.rect(mark.x, height - mark.y - mark.height, mark.width, mark.height, stroke=0, fill=1)
        page.setFillAlpha(1)
    elif isinstance(mark, Dot):
        page.setFillColor(HexColor(COLOURS[mark.colour]))
        page.circle(mark.x, height - mark.y, mark.radius, stroke=0, fill=1)
    elif isinstance(mark, Shape):
        _shape(page, mark, height)
    else:
        _write(page, mark, height)


def _path(page: Canvas, points: Sequence[tuple[float, float]], *, close: bool = False) -> PDFPathObject:
    path = page.beginPath()
    path.moveTo(*points[0])
    for point in points[1:]:
        path.lineTo(*point)
    if close:
        path.close()
    return path


def _shape(page: Canvas, mark: Shape, height: float) -> None:
    page.setFillColor(HexColor(COLOURS[mark.colour]))
    page.setStrokeColor(HexColor(COLOURS[mark.rim]))
    page.setLineWidth(mark.rim_width)
    if mark.shape == CIRCLE:
        page.circle(mark.x, height - mark.y, mark.radius, stroke=1, fill=not mark.hollow)
    else:
        corners = [(x, height - y) for x, y in mark.corners]
        page.drawPath(_path(page, corners, close=True), stroke=1, fill=not mark.hollow)


def _write(page: Canvas, mark: Text, height: float) -> None:
    colour = HexColor(COLOURS[mark.colour])
    width = pdfmetrics.stringWidth(mark.text, FONT, mark.size)
    page.saveState()
    page.translate(mark.x, height - mark.y)
    if mark.turned:
        page.rotate(90)
    text = page.beginText({"start": 0, "middle": -width / 2, "end": -width}[mark.anchor], 0)
    text.setFont(FONT, mark.size)
    text.setFillColor(colour)
    if mark.bold:
        # There is one weight of the font: a rim of the same colour makes it heavier.
        page.setStrokeColor(colour)
        page.setLineWidth(_BOLD_STROKE)
        text.setTextRenderMode(2)
    text.textOut(mark.text)
    page.drawText(text)
    page.restoreState()
