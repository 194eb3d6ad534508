"""A printable report of one analysis: photo, heatmap, scores, model, disclaimer. Pure: reportlab and Pillow.

Every word comes from the caller, so that the report speaks the reader's language.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

from PIL import Image
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.platypus import Image as Picture
from reportlab.platypus import KeepTogether, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from classifier.plots.pdf import FONT, use_font

MARGIN = 16 * mm
# reportlab insets what flows by 6 points on each side.
WIDTH = A4[0] - 2 * MARGIN - 12
INK, MUTED, LINE, LISTED = (colors.HexColor(c) for c in ("#1c1f23", "#5a626c", "#c9ced6", "#eef1f5"))
PICTURE_DPI = 200


@dataclass(frozen=True)
class ScoreLine:
    """One disease as shown: name, tier in words, score and threshold as text, and whether it is listed."""

    name: str
    tier: str
    score: str
    threshold: str
    listed: bool


@dataclass(frozen=True)
class Report:
    """What the report says. ``facts`` and ``model_facts`` are (label, value); pictures are RGB."""

    title: str
    subtitle: str
    photo: Image.Image
    panels: Sequence[tuple[str, Image.Image]]
    facts: Sequence[tuple[str, str]]
    notices: Sequence[str]
    score_head: tuple[str, str, str, str]
    scores: Sequence[ScoreLine]
    score_note: str
    caption: str
    records: Sequence[tuple[str, str]]
    model_title: str
    model_facts: Sequence[tuple[str, str]]
    disclaimer: str
    footer: str
    page_word: str


def build_pdf(report: Report, font_file: Path) -> bytes:
    """Return the report as a PDF on A4. ``font_file``: a TrueType font with Latin and Hangul."""
    use_font(font_file)
    out = io.BytesIO()
    document = SimpleDocTemplate(
        out, pagesize=A4, leftMargin=MARGIN, rightMargin=MARGIN, topMargin=14 * mm, bottomMargin=18 * mm,
        title=report.title, author="SkinClinic", subject=report.subtitle,
    )  # fmt: skip

    def foot(canvas, _document) -> None:
        canvas.setFont(FONT, 7)
        canvas.setFillColor(MUTED)
        canvas.drawString(MARGIN, 9 * mm, report.footer)
        canvas.drawRightString(A4[0] - MARGIN, 9 * mm, f"{report.page_word} {canvas.getPageNumber()}")

    document.build(_story(report), onFirstPage=foot, onLaterPages=foot)
    return out.getvalue()


def _text(text: str, size: float = 9, colour=INK, after: float = 0) -> Paragraph:
    style = ParagraphStyle(
        "text", fontName=FONT, fontSize=size, leading=size * 1.4, textColor=colour, spaceAfter=after,
        wordWrap="CJK" if any("가" <= character <= "힣" for character in text) else None,
    )  # fmt: skip
    return Paragraph(escape(text), style)


def _story(report: Report) -> list:
    left = 62 * mm
    head = Table(
        [[_picture(report.photo, left, 62 * mm), _facts(report.facts, WIDTH - left - 6 * mm)]],
        colWidths=[left + 6 * mm, WIDTH - left - 6 * mm],
    )
    head.setStyle(_plain())
    story = [
        _text(report.title, 16),
        _text(report.subtitle, 9, MUTED, after=8),
        _box(report.disclaimer),
        Spacer(1, 8),
        head,
        Spacer(1, 10),
        *(_text(notice, 9, after=3) for notice in report.notices),
        KeepTogether([_panels(report.panels), _text(report.caption, 8, MUTED, after=8)]),
        _scores(report),
        _text(report.score_note, 8, MUTED, after=8),
    ]
    if report.records:
        story += [KeepTogether([_facts(report.records, WIDTH), Spacer(1, 8)])]
    story += [KeepTogether([_text(report.model_title, 11, after=3), _facts(report.model_facts, WIDTH)])]
    return story


def _plain() -> TableStyle:
    return TableStyle(
        [
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LEFTPADDING", (0, 0), (-1, -1), 0),
            ("RIGHTPADDING", (0, 0), (-1, -1), 0),
            ("TOPPADDING", (0, 0), (-1, -1), 0),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 0),
        ]
    )


def _box(text: str) -> Table:
    table = Table([[_text(text, 8.5)]], colWidths=[WIDTH])
    table.setStyle(TableStyle([("BOX", (0, 0), (-1, -1), 0.6, INK), ("BOTTOMPADDING", (0, 0), (-1, -1), 5)]))
    return table


def _picture(image: Image.Image, width: float, height: float) -> Picture:
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


def _panels(panels: Sequence[tuple[str, Image.Image]]) -> Table:
    side = (WIDTH - 2 * 4 * mm) / 3
    table = Table(
        [
            [_picture(image, side, side) for _label, image in panels],
            [_text(label, 8) for label, _i in panels],
        ],
        colWidths=[side + 4 * mm, side + 4 * mm, side],
    )
    table.setStyle(_plain())
    return table


def _facts(facts: Sequence[tuple[str, str]], width: float) -> Table:
    label = min(38 * mm, width * 0.36)
    rows = [[_text(name, 8.5, MUTED), _text(value, 8.5)] for name, value in facts]
    table = Table(rows or [["", ""]], colWidths=[label, width - label])
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


def _scores(report: Report) -> Table:
    rows = [[_text(word, 8, MUTED) for word in report.score_head]]
    rows += [
        [
            _text(("● " if line.listed else "") + line.name),
            _text(line.tier),
            _text(line.score),
            _text(line.threshold),
        ]
        for line in report.scores
    ]
    table = Table(rows, colWidths=[WIDTH * share for share in (0.46, 0.2, 0.17, 0.17)], repeatRows=1)
    listed = [number for number, line in enumerate(report.scores, 1) if line.listed]
    table.setStyle(
        TableStyle(
            [
                ("LINEBELOW", (0, 0), (-1, -1), 0.4, LINE),
                ("TOPPADDING", (0, 0), (-1, -1), 2),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 2.5),
                *(("BACKGROUND", (0, row), (-1, row), LISTED) for row in listed),
            ]
        )
    )
    return table
