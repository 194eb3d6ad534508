"""Figures and tables as files: SVG, PNG, PDF, CSV, and a ZIP of many."""

import csv
import io
import zipfile
from collections.abc import Iterator, Sequence

from django.conf import settings

from classifier.plots.canvas import to_svg
from classifier.plots.figures import Figure
from classifier.plots.pdf import to_pdf
from classifier.plots.png import to_png
from skinclinic.archive.services.exporting.tables import defused
from skinclinic.web.zip_stream import Tail

FONT_FILE = settings.BASE_DIR / "static/vendor/pretendard-1.3.9/Pretendard-Regular.ttf"


def svg(figure: Figure) -> bytes:
    """The figure as a file of its own."""
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + to_svg(figure.drawing, alone=True).encode()


def png(figure: Figure) -> bytes:
    return to_png(pdf(figure))


def pdf(figure: Figure) -> bytes:
    """One page, in lines and letters."""
    return to_pdf(figure.drawing, FONT_FILE)


DRAWN = {"svg": svg, "png": png, "pdf": pdf}


def figure_file(figure: Figure, kind: str) -> bytes:
    """The figure as "svg", "png", "pdf" or "csv"; ValueError where there is nothing to draw."""
    if kind == "csv":
        return table_csv(figure.columns, figure.rows)
    if figure.drawing is None:
        raise ValueError("there is nothing to draw")
    return DRAWN[kind](figure)


def table_csv(columns: Sequence[str], rows: Sequence[Sequence]) -> bytes:
    """A table as UTF-8 with a mark, formulas defused."""
    text = io.StringIO()
    text.write("\ufeff")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([defused(name) for name in columns])
    writer.writerows([[_cell(value) for value in row] for row in rows])
    return text.getvalue().encode()


def _cell(value):
    is_number = isinstance(value, int | float) or value == "-inf"
    return value if is_number else defused(value)


def zip_stream(files: Iterator[tuple[str, bytes]]) -> Iterator[bytes]:
    """A ZIP of these files, a file at a time."""
    out = Tail()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files:
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)
            yield out.take()
    yield out.take()
