"""A printed report on a lesion over time or on a patient: facts, then a block a visit or a lesion. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from PIL import Image
from reportlab.lib.units import mm
from reportlab.platypus import CondPageBreak, Flowable, KeepTogether, Spacer, Table

from classifier.plots.body_picture import Place, body_picture
from classifier.plots.letter_pdf import Letterhead, head
from classifier.plots.printed import LINE, MUTED, WIDTH, box, facts, lines_of, picture, plain, text, to_pdf

PICTURE = 46 * mm
GAP = 5 * mm
# More than this does not stand beside a picture.
MOST_LINES = 36


@dataclass(frozen=True)
class Block:
    """A visit or a lesion. ``pictures``: (what it shows, the picture, None where its file is missing)."""

    title: str
    pictures: Sequence[tuple[str, Image.Image | None]]
    facts: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class CaseReport:
    """``places``: numbers on the body picture; none: no picture."""

    letterhead: Letterhead
    title: str
    subtitle: str
    disclaimer: str
    facts: Sequence[tuple[str, str]]
    blocks: Sequence[Block]
    footer: str
    page_word: str
    places: Sequence[Place] = ()
    places_note: str = ""
    closing: Sequence[tuple[str, str]] = field(default=())


def build_pdf(report: CaseReport) -> bytes:
    """The report on A4."""
    return to_pdf(
        _story(report),
        title=report.title,
        subject=report.subtitle,
        footer=report.footer,
        page_word=report.page_word,
        author=report.letterhead.name,
    )


def _story(report: CaseReport) -> list[Flowable]:
    story = [
        head(report.letterhead),
        text(report.title, 16, before=4),
        text(report.subtitle, 9, MUTED, after=8),
        box(report.disclaimer),
        Spacer(1, 8),
        facts(report.facts, WIDTH),
    ]
    if report.places:
        story += [Spacer(1, 6), body_picture(report.places, WIDTH * 0.82), text(report.places_note, 8, MUTED)]
    for block in report.blocks:
        story += [Spacer(1, 8), *_block(block)]
    if report.closing:
        story += [Spacer(1, 8), KeepTogether([_rule(), facts(report.closing, WIDTH)])]
    return story


def _block(block: Block) -> list[Flowable]:
    """Pictures on the left and what is said beside them; without pictures, over the whole width. What is said may be
    longer than a page, which a table's cell must not be: then it stands below."""
    title = [CondPageBreak(60 * mm), _rule(), text(block.title, 11, after=4)]
    if not block.pictures:
        return [*title, facts(block.facts, WIDTH)]
    shown = [part for words, image in block.pictures for part in _shown(words, image)]
    if sum(lines_of(value) for _name, value in block.facts) > MOST_LINES or len(block.pictures) > 3:
        return [*title, _row(block.pictures), facts(block.facts, WIDTH)]
    beside = Table(
        [[shown, facts(block.facts, WIDTH - PICTURE - GAP)]],
        colWidths=[PICTURE + GAP, WIDTH - PICTURE - GAP],
    )
    beside.setStyle(plain())
    return [*title, beside]


def _shown(words: str, image: Image.Image | None) -> list[Flowable]:
    return [*([picture(image, PICTURE, PICTURE)] if image else []), text(words, 7.5, MUTED, after=4)]


def _row(pictures: Sequence[tuple[str, Image.Image | None]]) -> Table:
    """Pictures in rows of four."""
    side = (WIDTH - 3 * 3 * mm) / 4
    cells = [
        [*([picture(image, side, side)] if image else []), text(words, 7.5, MUTED, after=4)]
        for words, image in pictures
    ]
    rows = [cells[at : at + 4] for at in range(0, len(cells), 4)]
    rows[-1] += [[text("", 1)]] * (4 - len(rows[-1]))
    table = Table(rows, colWidths=[side + 3 * mm] * 3 + [side])
    table.setStyle(plain())
    return table


def _rule() -> Table:
    line = Table([[""]], colWidths=[WIDTH], rowHeights=[5])
    line.setStyle([("LINEABOVE", (0, 0), (-1, 0), 0.6, LINE)])
    return line
