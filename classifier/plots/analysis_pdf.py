"""A printable report of one analysis: photo, heatmap, scores, model, disclaimer. Pure: reportlab and Pillow.

Every word comes from the caller, so that the report speaks the reader's language.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from reportlab.lib.units import mm
from reportlab.platypus import KeepTogether, Spacer, Table, TableStyle

from classifier.plots.printed import LINE, LISTED, MUTED, WIDTH, box, facts, picture, plain, text, to_pdf


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
    return to_pdf(
        _story(report),
        title=report.title,
        subject=report.subtitle,
        footer=report.footer,
        page_word=report.page_word,
        font_file=font_file,
    )


def _story(report: Report) -> list:
    left = 62 * mm
    head = Table(
        [[picture(report.photo, left, 62 * mm), facts(report.facts, WIDTH - left - 6 * mm)]],
        colWidths=[left + 6 * mm, WIDTH - left - 6 * mm],
    )
    head.setStyle(plain())
    story = [
        text(report.title, 16),
        text(report.subtitle, 9, MUTED, after=8),
        box(report.disclaimer),
        Spacer(1, 8),
        head,
        Spacer(1, 10),
        *(text(notice, 9, after=3) for notice in report.notices),
        KeepTogether([_panels(report.panels), text(report.caption, 8, MUTED, after=8)]),
        _scores(report),
        text(report.score_note, 8, MUTED, after=8),
    ]
    if report.records:
        story += [KeepTogether([facts(report.records, WIDTH), Spacer(1, 8)])]
    story += [KeepTogether([text(report.model_title, 11, after=3), facts(report.model_facts, WIDTH)])]
    return story


def _panels(panels: Sequence[tuple[str, Image.Image]]) -> Table:
    side = (WIDTH - 2 * 4 * mm) / 3
    table = Table(
        [
            [picture(image, side, side) for _label, image in panels],
            [text(label, 8) for label, _i in panels],
        ],
        colWidths=[side + 4 * mm, side + 4 * mm, side],
    )
    table.setStyle(plain())
    return table


def _scores(report: Report) -> Table:
    rows = [[text(word, 8, MUTED) for word in report.score_head]]
    rows += [
        [
            text(("● " if line.listed else "") + line.name),
            text(line.tier),
            text(line.score),
            text(line.threshold),
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
