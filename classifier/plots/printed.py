"""The parts of printed reports and letters: text, pictures, labelled lines, pages. Pure: reportlab and Pillow.

Every word comes from the caller; the one font with Latin and Hangul is embedded.
"""

import io
from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape

from PIL import Image
from reportlab.lib import colors
from reportlab.lib.colors import Color
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Table, TableStyle
from reportlab.platypus import Image as Picture

from classifier.plots.letters import FONT_FILE
from classifier.plots.pdf import FONT, use_font

MARGIN = 16 * mm
# reportlab insets what flows by 6 points on each side.
WIDTH = A4[0] - 2 * MARGIN - 12
INK, MUTED, LINE, LISTED = (colors.HexColor(c) for c in ("#1c1f23", "#5a626c", "#c9ced6", "#eef1f5"))
PICTURE_DPI = 200
# Letters to a line beside a picture, and lines to a row of labelled lines.
_A_LINE, _MOST_LINES = 40, 30


def to_pdf(
    story: Sequence[Flowable],
    *,
    title: str,
    subject: str,
    footer: str,
    page_word: str,
    font_file: Path = FONT_FILE,
    author: str = "SkinClinic",
) -> bytes:
    """The story as a PDF on A4; the same story gives the same bytes."""
    use_font(font_file)
    out = io.BytesIO()
    document = SimpleDocTemplate(
        out, pagesize=A4, leftMargin=MARGIN, rightMargin=MARGIN, topMargin=14 * mm, bottomMargin=18 * mm,
        title=title, author=author, subject=subject, invariant=1, initialFontName=FONT,
    )  # fmt: skip

    def foot(canvas: Canvas, _document: SimpleDocTemplate) -> None:
        canvas.setFont(FONT, 7)
        canvas.setFillColor(MUTED)
        canvas.drawString(MARGIN, 9 * mm, footer)
        canvas.drawRightString(A4[0] - MARGIN, 9 * mm, f"{page_word} {canvas.getPageNumber()}")

    document.build(list(story), onFirstPage=foot, onLaterPages=foot)
    return out.getvalue()


def text(words: str, size: float = 9, colour: Color = INK, after: float = 0, before: float = 0) -> Paragraph:
    """A paragraph; its own line breaks stand."""
    use_font()
    style = ParagraphStyle(
        "text", fontName=FONT, fontSize=size, leading=size * 1.4, textColor=colour, spaceAfter=after,
        spaceBefore=before, splitLongWords=1,
        wordWrap="CJK" if any("가" <= character <= "힣" for character in words) else None,
    )  # fmt: skip
    return Paragraph(escape(words).replace("\n", "<br/>"), style)


def plain() -> TableStyle:
    """Cells without any room of their own."""
    return TableStyle(
        [
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LEFTPADDING", (0, 0), (-1, -1), 0),
            ("RIGHTPADDING", (0, 0), (-1, -1), 0),
            ("TOPPADDING", (0, 0), (-1, -1), 0),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 0),
        ]
    )


def box(words: str) -> Table:
    """A framed line."""
    table = Table([[text(words, 8.5)]], colWidths=[WIDTH])
    table.setStyle(TableStyle([("BOX", (0, 0), (-1, -1), 0.6, INK), ("BOTTOMPADDING", (0, 0), (-1, -1), 5)]))
    return table


def picture(image: Image.Image, width: float, height: float) -> Picture:
    """The image as large as fits in width x height points, at print resolution."""
    scale = min(width / image.width, height / image.height)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    pixels = (round(size[0] / 72 * PICTURE_DPI), round(size[1] / 72 * PICTURE_DPI))
    if pixels[0] < image.width:
        image = image.resize(pixels, Image.Resampling.LANCZOS)
    file = io.BytesIO()
    image.save(file, "JPEG", quality=90)
    file.seek(0)
    return Picture(file, width=size[0], height=size[1])


def facts(rows: Sequence[tuple[str, str]], width: float) -> Table:
    """Labelled lines. One that is long goes on in further rows: a row is never broken, and must fit on a page."""
    label = min(38 * mm, width * 0.36)
    cells = [
        [text("" if number else name, 8.5, MUTED), text(part, 8.5)]
        for name, value in rows
        for number, part in enumerate(_parts(value))
    ]
    table = Table(cells or [["", ""]], colWidths=[label, width - label])
    table.setStyle(
        TableStyle(
            [
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("LEFTPADDING", (0, 0), (-1, -1), 0),
                ("TOPPADDING", (0, 0), (-1, -1), 1.5),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 1.5),
            ]
        )
    )
    return table


def lines_of(value: str) -> int:
    """About how many lines a value takes beside a picture."""
    return sum(1 + len(line) // _A_LINE for line in value.split("\n"))


def _parts(value: str) -> list[str]:
    """The value in parts of at most _MOST_LINES lines, broken between lines where it has any."""
    parts: list[str] = []
    kept: list[str] = []
    for line in value.split("\n"):
        for at in range(0, max(1, len(line)), _MOST_LINES * _A_LINE):
            piece = line[at : at + _MOST_LINES * _A_LINE]
            if kept and lines_of("\n".join([*kept, piece])) > _MOST_LINES:
                parts.append("\n".join(kept))
                kept = []
            kept.append(piece)
    return [*parts, "\n".join(kept)]
