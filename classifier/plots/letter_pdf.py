"""A letter on the paper of a clinic: letterhead, recipient, date, subject, text, who signs. Pure."""

from dataclasses import dataclass

from PIL import Image
from reportlab.lib.units import mm
from reportlab.platypus import Flowable, KeepTogether, Spacer, Table

from classifier.plots.printed import LINE, MUTED, WIDTH, picture, plain, text, to_pdf

LOGO = (46 * mm, 20 * mm)


@dataclass(frozen=True)
class Letterhead:
    """``address`` has lines of its own."""

    name: str
    address: str = ""
    phone: str = ""
    logo: Image.Image | None = None


@dataclass(frozen=True)
class Paper:
    """Everything a letter says; ``body`` in paragraphs with an empty line between them."""

    letterhead: Letterhead
    recipient: str
    date: str
    subject: str
    body: str
    signed: str
    footer: str
    page_word: str


def head(letterhead: Letterhead) -> Flowable:
    """The clinic's name, address and telephone, its logo on the right, a line below."""
    said: list[Flowable] = [text(letterhead.name, 13, after=2)]
    said += [text(words, 8.5, MUTED) for words in (letterhead.address, letterhead.phone) if words]
    logo = picture(letterhead.logo, *LOGO) if letterhead.logo else ""
    table = Table([[said, logo]], colWidths=[WIDTH - LOGO[0] - 4 * mm, LOGO[0] + 4 * mm])
    style = plain()
    style.add("ALIGN", (1, 0), (1, 0), "RIGHT")
    style.add("LINEBELOW", (0, 0), (-1, 0), 0.8, LINE)
    style.add("BOTTOMPADDING", (0, 0), (-1, 0), 6)
    table.setStyle(style)
    return table


def build_pdf(paper: Paper) -> bytes:
    """The letter on A4."""
    body = [text(part.strip("\n"), 10, after=7) for part in paper.body.split("\n\n") if part.strip()]
    story = [
        head(paper.letterhead),
        Spacer(1, 10 * mm),
        text(paper.recipient, 10),
        Spacer(1, 7 * mm),
        text(paper.date, 10),
        Spacer(1, 6 * mm),
        text(paper.subject, 11.5, after=9),
        *body,
        Spacer(1, 8 * mm),
        KeepTogether([text(paper.signed, 10)]),
    ]
    return to_pdf(
        story,
        title=paper.subject,
        subject=paper.letterhead.name,
        footer=paper.footer,
        page_word=paper.page_word,
        author=paper.letterhead.name,
    )
