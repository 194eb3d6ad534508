"""A study as a PDF to print: instructions, then one numbered photo a page. Pure: reportlab, no Django.

Every word comes from the caller. Photos are put in as they are stored, at their own resolution and without
metadata; each is read when its page is written, so that memory does not grow with their number.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from xml.sax.saxutils import escape

from reportlab.lib import colors
from reportlab.lib.colors import Color
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfdoc, pdfmetrics
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Paragraph

from classifier.plots.pdf import FONT, use_font

MARGIN = 15 * mm
WIDTH, HEIGHT = A4[0] - 2 * MARGIN, A4[1] - 2 * MARGIN
INK, MUTED, LINE = (colors.HexColor(code) for code in ("#1c1f23", "#5a626c", "#9aa2ac"))
PHOTO_HEIGHT = 195 * mm


@dataclass(frozen=True)
class Page:
    """One photo: its title ("Photo 17"), what reads it (a JPEG), its size in pixels, and facts of the patient."""

    title: str
    read: Callable[[], bytes]
    width: int
    height: int
    facts: str = ""


@dataclass(frozen=True)
class Paper:
    """Everything the PDF says. ``choices`` are numbered from 1, as the answers' file takes them."""

    title: str
    subtitle: str
    instructions: Sequence[str]
    how_to_answer: str
    question: str
    choices: Sequence[str]
    blanks: Sequence[str]
    reader_label: str
    footer: str
    page_word: str


def write(paper: Paper, pages: Sequence[Page], out: BinaryIO, font_file: Path) -> None:
    """Write the PDF to ``out``. Raises OSError for a file that is gone, ValueError for one that is no JPEG."""
    use_font(font_file)
    canvas = Canvas(out, pagesize=A4, pageCompression=1)
    canvas.setTitle(paper.title)
    canvas.setAuthor("")
    canvas.setSubject("")
    canvas.setCreator("SkinClinic")
    _instructions(canvas, paper)
    for place, page in enumerate(pages):
        _photo_page(canvas, paper, page, _Photo(page, out), place)
    canvas.save()


def _instructions(canvas: Canvas, paper: Paper) -> None:
    blocks = [_paragraph(paper.title, 18, after=2), _paragraph(paper.subtitle, 9.5, MUTED, after=14)]
    blocks += [_paragraph(text, 11, after=8) for text in paper.instructions]
    blocks += [_paragraph(paper.question, 12.5, after=6), _paragraph(paper.how_to_answer, 10, after=8)]
    blocks += [_paragraph(line, 10.5, after=3) for line in _numbered(paper.choices)]
    y = HEIGHT + MARGIN
    waiting = list(blocks)
    while waiting:
        block = waiting.pop(0)
        height = float(block.wrap(WIDTH, HEIGHT)[1])
        if y - height < MARGIN + 10 * mm:
            parts = block.split(WIDTH, y - MARGIN - 10 * mm)
            if len(parts) > 1:
                waiting[:0] = parts[1:]
                block = parts[0]
                _width, height = block.wrap(WIDTH, HEIGHT)
            else:
                _end_page(canvas, paper)
                y = HEIGHT + MARGIN
                _width, height = block.wrap(WIDTH, HEIGHT)
        block.drawOn(canvas, MARGIN, y - height)
        y -= height + block.getSpaceAfter()
    _end_page(canvas, paper)


def _photo_page(canvas: Canvas, paper: Paper, page: Page, photo: "_Photo", place: int) -> None:
    top = HEIGHT + MARGIN
    canvas.setFillColor(INK)
    canvas.setFont(FONT, 15)
    canvas.drawString(MARGIN, top - 13, page.title)
    canvas.setFont(FONT, 9)
    canvas.drawRightString(MARGIN + WIDTH, top - 12, f"{paper.reader_label}: ____________________")
    y = top - 22
    if page.facts:
        y -= _draw(canvas, _paragraph(page.facts, 9.5, MUTED), y)
    scale = min(WIDTH / page.width, (PHOTO_HEIGHT - (top - 22 - y)) / page.height)
    width, height = page.width * scale, page.height * scale
    _place(canvas, photo, f"photo{place}", MARGIN + (WIDTH - width) / 2, y - 4 - height, width, height)
    y = top - 22 - PHOTO_HEIGHT - 12
    y -= _draw(canvas, _paragraph(paper.question, 10.5, after=4), y)
    y = _choices(canvas, paper.choices, y - 4)
    canvas.setFont(FONT, 9.5)
    for place_of_blank, blank in enumerate(paper.blanks):
        row, column = divmod(place_of_blank, 2)
        canvas.drawString(MARGIN + column * WIDTH / 2, y - 16 - 18 * row, f"{blank}: __________")
    _end_page(canvas, paper)


def _choices(canvas: Canvas, choices: Sequence[str], y: float) -> float:
    """Boxes in three columns; return the lower edge."""
    columns, height = 3, 17
    rows = -(-len(choices) // columns)
    for place, line in enumerate(_numbered(choices)):
        column, row = divmod(place, rows)
        x, base = MARGIN + column * WIDTH / columns, y - (row + 1) * height
        canvas.setStrokeColor(LINE)
        canvas.rect(x, base, 8, 8)
        size = 9.0
        while pdfmetrics.stringWidth(line, FONT, size) > WIDTH / columns - 18 and size > 5:
            size -= 0.5
        canvas.setFont(FONT, size)
        canvas.setFillColor(INK)
        canvas.drawString(x + 13, base + 0.5, line)
    return y - rows * height


def _numbered(choices: Sequence[str]) -> Iterator[str]:
    return (f"{number}  {name}" for number, name in enumerate(choices, 1))


def _draw(canvas: Canvas, block: Paragraph, y: float) -> float:
    _width, height = block.wrap(WIDTH, HEIGHT)
    block.drawOn(canvas, MARGIN, y - height)
    return float(height)


def _end_page(canvas: Canvas, paper: Paper) -> None:
    canvas.setFont(FONT, 7.5)
    canvas.setFillColor(MUTED)
    canvas.drawString(MARGIN, 8 * mm, paper.footer)
    canvas.drawRightString(A4[0] - MARGIN, 8 * mm, f"{paper.page_word} {canvas.getPageNumber()}")
    canvas.showPage()


def _paragraph(text: str, size: float, colour: Color = INK, after: float = 0) -> Paragraph:
    style = ParagraphStyle(
        "text", fontName=FONT, fontSize=size, leading=size * 1.4, textColor=colour, spaceAfter=after,
        wordWrap="CJK" if any("가" <= character <= "힣" for character in text) else None,
    )  # fmt: skip
    return Paragraph(escape(text).replace("\n", "<br/>"), style)


def _place(
    canvas: Canvas, photo: "_Photo", name: str, x: float, y: float, width: float, height: float
) -> None:
    """What ``Canvas.drawImage`` does, for a photo that is not read yet."""
    canvas.saveState()
    canvas.translate(x, y)
    canvas.scale(width, height)
    canvas._code.append(f"/{canvas._doc.getXObjectName(name)} Do")
    canvas._doc.addForm(name, photo)
    canvas._formsinuse.append(name)
    canvas.restoreState()


class _Photo(pdfdoc.PDFObject):
    """A JPEG that is read only when its object is written, and whose bytes go straight to the file.

    reportlab gathers the objects of a document in a list. The first photo sends what is in it, and everything
    that follows, to ``out``, so that no more than one photo is ever held.
    """

    __RefOnly__ = 1

    def __init__(self, page: Page, out: BinaryIO):
        self.page, self.out = page, out

    def format(self, document: pdfdoc.PDFDocument) -> bytes:
        gathered = document.__accum__
        if gathered.write != self.out.write:
            for part in gathered.strings:
                self.out.write(part)
            gathered.strings.clear()
            gathered.write = self.out.write
        data = without_metadata(self.page.read())
        head = (
            f"<< /Type /XObject /Subtype /Image /Width {self.page.width} /Height {self.page.height} "
            f"/ColorSpace /{_colours(data)} /BitsPerComponent 8 /Filter /DCTDecode /Length {len(data)} >>"
        )
        return head.encode() + b"\nstream\n" + data + b"\nendstream\n"


def without_metadata(data: bytes) -> bytes:
    """The JPEG without comments and application segments (EXIF, XMP, profiles, thumbnails); pixels as they are.

    Raises ValueError for what is no JPEG.
    """
    kept = [b"\xff\xd8"]
    for marker, start, end in _segments(data):
        # APP0 (JFIF) and APP14 (Adobe) say how the colours are coded.
        if marker == 0xFE or (0xE0 <= marker <= 0xEF and marker not in (0xE0, 0xEE)):
            continue
        kept.append(data[start:end])
    return b"".join(kept)


def _colours(data: bytes) -> str:
    for marker, start, _end in _segments(data):
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            return "DeviceGray" if data[start + 9] == 1 else "DeviceRGB"
    raise ValueError("a JPEG without a frame")


def _segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """(marker, start, end) of each segment; the last, from the first scan on, reaches to the end."""
    if data[:2] != b"\xff\xd8":
        raise ValueError("not a JPEG")
    place = 2
    while True:
        if len(data) < place + 4 or data[place] != 0xFF:
            raise ValueError("a damaged JPEG")
        marker = data[place + 1]
        if marker == 0xDA:
            yield marker, place, len(data)
            return
        end = place + 2 + int.from_bytes(data[place + 2 : place + 4], "big")
        yield marker, place, end
        place = end
