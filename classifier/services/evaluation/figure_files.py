"""Figures and their tables as files, in the widths and resolutions of journals."""

from dataclasses import dataclass

from classifier.plots.canvas import Drawing
from classifier.plots.eps import to_eps
from classifier.plots.figures import Figure
from classifier.plots.frame import NARROW, WIDE, Form
from classifier.plots.letters import FONT_FILE
from classifier.plots.pdf import to_pdf
from classifier.plots.pixels import to_png, to_tiff
from classifier.plots.svg import to_svg_file
from classifier.plots.tables import latex, word
from skinclinic.web.csv_table import table_csv

__all__ = [
    "DPI",
    "DRAWN",
    "FONT_FILE",
    "KINDS",
    "PRINT",
    "QUICK",
    "TYPES",
    "WIDTHS",
    "Print",
    "figure_file",
    "form_of",
]

DRAWN = ("svg", "pdf", "eps", "png", "tiff")
TABLES = ("csv", "docx", "tex")
KINDS = (*DRAWN, *TABLES)
TYPES = {
    "svg": "image/svg+xml", "png": "image/png", "tiff": "image/tiff", "pdf": "application/pdf",
    "eps": "application/postscript", "csv": "text/csv; charset=utf-8", "tex": "application/x-tex; charset=utf-8",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
}  # fmt: skip
# One column and two; the drawing that is laid out for each.
WIDTHS = {85: NARROW, 174: WIDE}
# For looking at; for journals.
DPI = (150, 300, 600)
SCREEN = 150


@dataclass(frozen=True)
class Print:
    """How large a figure is printed, in millimetres, and how many pixels an inch pictures have."""

    width: int = 174
    dpi: int = 300


# For journals; for looking at: pictures for a journal take as long as everything else.
PRINT, QUICK = Print(), Print(dpi=SCREEN)


def form_of(width: int, *, has_title: bool = True, has_notes: bool = True) -> Form:
    return Form(WIDTHS[width].width, has_title, has_notes, has_points=False)


def figure_file(figure: Figure, kind: str, how: Print = PRINT) -> bytes:
    """The figure as one of KINDS; ValueError where there is nothing to draw."""
    if kind == "csv":
        return table_csv(figure.columns, figure.rows)
    if kind in TABLES:
        return _table(figure, kind)
    if kind == "svg":
        return to_svg_file(drawing_of(figure), width_of(figure, how)).encode()
    if kind == "eps":
        return to_eps(drawing_of(figure), width_of(figure, how))
    page = to_pdf(drawing_of(figure), width_of(figure, how))
    return page if kind == "pdf" else picture(page, kind, how.dpi)


def picture(page: bytes, kind: str, dpi: int) -> bytes:
    """The PDF of a figure in pixels."""
    return to_png(page, dpi) if kind == "png" else to_tiff(page, dpi)


def width_of(figure: Figure, how: Print) -> float:
    """How wide it is printed, in millimetres: less than the column where it is smaller, so that letters keep theirs."""
    return how.width * min(drawing_of(figure).width / WIDTHS[how.width].width, 1)


def _table(figure: Figure, kind: str) -> bytes:
    """The rows that are worth printing, with what is said of the figure."""
    rows, said = figure.rows[: figure.printed], (figure.title, figure.columns)
    notes = [*figure.facts, *([figure.note] if figure.note else [])]
    return word(*said, rows, notes) if kind == "docx" else latex(*said, rows, notes).encode()


def drawing_of(figure: Figure) -> Drawing:
    if figure.drawing is None:
        raise ValueError("there is nothing to draw")
    return figure.drawing
