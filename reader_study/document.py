"""A document of headings, labelled lines and one drawing as PDF on A4. Pure: reportlab, no Django.

Every word comes from the caller; the one font with Latin and Hangul is embedded.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from xml.sax.saxutils import escape

from reportlab.lib import colors
from reportlab.lib.colors import Color
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import CondPageBreak, Flowable, Paragraph, SimpleDocTemplate, Table, TableStyle

from classifier.plots.canvas import Drawing
from classifier.plots.pdf import FONT, SCALE, paint, use_font

MARGIN = 18 * mm
# reportlab insets what flows by 6 points on each side.
WIDTH = A4[0] - 2 * MARGIN - 12
# A heading with the first lines below it.
_ROOM = 26 * mm
INK, MUTED, LINE = (colors.HexColor(code) for code in ("#1c1f23", "#5a626c", "#c9ced6"))


@dataclass(frozen=True)
class Section:
    """``rows``: cells of equal number in columns of these ``widths`` (shares of the page)."""

    title: str
    rows: Sequence[Sequence[str]]
    widths: Sequence[float] = (0.3, 0.7)
    text: str = ""


@dataclass(frozen=True)
class Document:
    title: str
    subtitle: str
    sections: Sequence[Section]
    footer: str
    page_word: str
    drawing: Drawing | None = None
    drawing_title: str = ""
    notes: Sequence[str] = field(default=())


def to_pdf(document: Document, font_file: Path) -> bytes:
    """The same document gives the same bytes."""
    use_font(font_file)
    out = io.BytesIO()
    made = SimpleDocTemplate(
        out, pagesize=A4, leftMargin=MARGIN, rightMargin=MARGIN, topMargin=16 * mm, bottomMargin=18 * mm,
        title=document.title, author="SkinClinic", subject=document.subtitle, invariant=1,
        # Else every page begins with a font that is not embedded.
        initialFontName=FONT,
    )  # fmt: skip

    def foot(canvas: Canvas, _document: SimpleDocTemplate) -> None:
        canvas.setFont(FONT, 7)
        canvas.setFillColor(MUTED)
        canvas.drawString(MARGIN, 9 * mm, document.footer)
        canvas.drawRightString(A4[0] - MARGIN, 9 * mm, f"{document.page_word} {canvas.getPageNumber()}")

    made.build(_story(document), onFirstPage=foot, onLaterPages=foot)
    return out.getvalue()


def _story(document: Document) -> list[Flowable]:
    story: list[Flowable] = [
        _text(document.title, 16, after=2),
        _text(document.subtitle, 9, MUTED, after=6),
        *(_text(note, 9, after=4) for note in document.notes),
    ]
    for section in document.sections:
        # No heading stands alone at the foot of a page.
        story.append(CondPageBreak(_ROOM))
        story.append(_text(section.title, 12, before=10, after=3))
        if section.text:
            story.append(_text(section.text, 9, after=4))
        if section.rows:
            story.append(_table(section))
    if document.drawing is not None:
        picture = _Picture(document.drawing)
        _width, height = picture.wrap(0, 0)
        story.append(CondPageBreak(height + _ROOM))
        story += [_text(document.drawing_title, 12, before=10, after=6), picture]
    return story


def _table(section: Section) -> Table:
    rows = [
        [_text(cell, 8.5, INK if place else MUTED) for place, cell in enumerate(row)] for row in section.rows
    ]
    table = Table(rows, colWidths=[WIDTH * share for share in section.widths])
    table.setStyle(
        TableStyle(
            [
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("LINEBELOW", (0, 0), (-1, -1), 0.3, LINE),
                ("LEFTPADDING", (0, 0), (-1, -1), 0),
                ("TOPPADDING", (0, 0), (-1, -1), 2),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
                ("FONTNAME", (0, 0), (-1, -1), FONT),
            ]
        )
    )
    return table


class _Picture(Flowable):
    """A drawing as wide as the page allows."""

    def __init__(self, drawing: Drawing):
        super().__init__()
        self.drawing = drawing
        self.factor = min(WIDTH / drawing.width, SCALE)

    def wrap(self, _width: float, _height: float) -> tuple[float, float]:
        return self.drawing.width * self.factor, self.drawing.height * self.factor

    def draw(self) -> None:
        self.canv.scale(self.factor, self.factor)
        paint(self.canv, self.drawing)


def _text(text: str, size: float, colour: Color = INK, before: float = 0, after: float = 0) -> Paragraph:
    style = ParagraphStyle(
        "text", fontName=FONT, fontSize=size, leading=size * 1.4, textColor=colour, spaceBefore=before,
        spaceAfter=after, wordWrap="CJK" if any("가" <= character <= "힣" for character in text) else None,
    )  # fmt: skip
    return Paragraph(escape(text).replace("\n", "<br/>"), style)
