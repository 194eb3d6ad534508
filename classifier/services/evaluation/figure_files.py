"""Figures and tables as files: SVG, PNG, PDF, CSV, and a ZIP of many."""

from django.conf import settings

from classifier.plots.canvas import Drawing, to_svg
from classifier.plots.figures import Figure
from classifier.plots.pdf import to_pdf
from classifier.plots.png import to_png
from skinclinic.web.csv_table import table_csv

FONT_FILE = settings.BASE_DIR / "static/vendor/pretendard-1.3.9/Pretendard-Regular.ttf"


def svg(figure: Figure) -> bytes:
    """The figure as a file of its own."""
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + to_svg(_drawing(figure), alone=True).encode()


def png(figure: Figure) -> bytes:
    return to_png(pdf(figure))


def pdf(figure: Figure) -> bytes:
    """One page, in lines and letters."""
    return to_pdf(_drawing(figure), FONT_FILE)


DRAWN = {"svg": svg, "png": png, "pdf": pdf}


def figure_file(figure: Figure, kind: str) -> bytes:
    """The figure as "svg", "png", "pdf" or "csv"; ValueError where there is nothing to draw."""
    if kind == "csv":
        return table_csv(figure.columns, figure.rows)
    return DRAWN[kind](figure)


def _drawing(figure: Figure) -> Drawing:
    if figure.drawing is None:
        raise ValueError("there is nothing to draw")
    return figure.drawing
