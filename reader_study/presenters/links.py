"""Links of readers as they are handed out: to copy, to mail, to print. They can be said this once only."""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from urllib.parse import quote

from reportlab.graphics.barcode import qrencoder

from reader_study.services.making.readers import Invited
from skinclinic.models import Letter
from skinclinic.web.csv_table import table_csv

# Modules of white that a camera needs around a code.
QUIET = 4


@dataclass(frozen=True)
class Link:
    """``mail`` opens the coordinator's own mail program with everything written; ``qr`` is the path of an SVG of
    ``size`` modules."""

    code: str
    name: str
    email: str
    centre: str
    link: str
    mail: str
    letter: Letter | None
    qr: str
    size: int


def links(invited: Sequence[Invited]) -> list[Link]:
    return [_link(one) for one in invited]


def _link(one: Invited) -> Link:
    reader = one.reader
    path, size = qr(one.link)
    subject, body = (quote(text.strip(), safe="") for text in (one.subject, one.text))
    mail = f"mailto:{quote(reader.email, safe='@')}?subject={subject}&body={body}"
    return Link(
        reader.code, reader.name, reader.email, reader.centre, one.link, mail, reader.letter, path, size
    )


def all_as_text(invited: Sequence[Invited]) -> str:
    """A line for each, to paste into a table."""
    return "\n".join(
        "\t".join((one.reader.code, one.reader.name, one.reader.email, one.link)) for one in invited
    )


def links_file(invited: Sequence[Invited]) -> str:
    """The links as a CSV to keep: in the page itself, for the server could not say them again."""
    rows = [(one.reader.code, one.reader.name, one.reader.email, one.link) for one in invited]
    content = table_csv(("reader", "name", "e-mail", "link"), rows)
    return "data:text/csv;charset=utf-8;base64," + b64encode(content).decode()


def qr(text: str) -> tuple[str, int]:
    """A QR code as the path of an SVG, and the width of the whole with its quiet border."""
    code = qrencoder.QRCode(None, qrencoder.QRErrorCorrectLevel.M)
    code.addData(text)
    code.make()
    parts = []
    for y, row in enumerate(code.modules):
        x = 0
        for is_dark, run in groupby(row):
            width = len(list(run))
            if is_dark:
                parts.append(f"M{x + QUIET} {y + QUIET}h{width}v1h-{width}z")
            x += width
    return "".join(parts), code.getModuleCount() + 2 * QUIET
