"""What a figure, or all of them, can be downloaded as: asked for by a form, taken from the address."""

from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import QueryDict
from django.utils.translation import gettext as _

from classifier.plots.frame import Form
from classifier.services.evaluation.bundle import USUAL
from classifier.services.evaluation.figure_files import DPI, KINDS, SCREEN, WIDTHS, Print, form_of


@dataclass(frozen=True)
class Wanted:
    """``kinds``: the files of each figure; one where one figure is asked for."""

    kinds: tuple[str, ...]
    how: Print
    form: Form


def wanted(asked: QueryDict) -> Wanted | None:
    """``as``, ``width`` (mm), ``dpi``, ``title`` and ``notes`` ("0": without); None where one of them is unknown."""
    return _wanted(asked, (asked.get("as", ""),), "300")


def wanted_together(asked: QueryDict) -> Wanted | None:
    """The same of many figures, with ``format`` repeated. Without it they are as usual; an empty one asks for none."""
    kinds = tuple(kind for kind in asked.getlist("format") if kind) if "format" in asked else USUAL
    return _wanted(asked, kinds, str(SCREEN))


def _wanted(asked: QueryDict, kinds: tuple[str, ...], usual_dpi: str) -> Wanted | None:
    width, dpi = asked.get("width", "174"), asked.get("dpi", usual_dpi)
    if not set(kinds) <= set(KINDS) or width not in map(str, WIDTHS) or dpi not in map(str, DPI):
        return None
    has_title, has_notes = (asked.get(name, "1") != "0" for name in ("title", "notes"))
    how = Print(int(width), int(dpi))
    return Wanted(kinds, how, form_of(how.width, has_title=has_title, has_notes=has_notes))


def choices() -> dict:
    """What the forms offer."""
    return {
        "kinds": [
            ("pdf", _("PDF, letters embedded")), ("svg", _("SVG, letters as outlines")),
            ("eps", _("EPS, letters as outlines, no transparency")), ("tiff", "TIFF (LZW)"), ("png", "PNG"),
            ("docx", _("Table, Word")), ("tex", _("Table, LaTeX")), ("csv", _("Table, CSV")),
        ],
        "widths": [(85, _("85 mm, one column")), (174, _("174 mm, two columns"))],
        "dpi": DPI,
        "usual": USUAL,
        "presets": [
            (_("To look at"), _("SVG, PDF, PNG and CSV with title and notes, 174 mm, 150 dpi"), ""),
            (
                _("For a journal, one column"),
                _("PDF, EPS, TIFF and Word tables without title and notes, 85 mm, 600 dpi"),
                _preset(85, 600),
            ),
            (
                _("For a journal, two columns"),
                _("PDF, EPS, TIFF and Word tables without title and notes, 174 mm, 300 dpi"),
                _preset(174, 300),
            ),
        ],
    }  # fmt: skip


def _preset(width: int, dpi: int) -> str:
    """As journals take figures: what is said above and below them stands in the captions, which the index has."""
    kinds = [("format", kind) for kind in ("pdf", "eps", "tiff", "docx")]
    return "&" + urlencode([*kinds, ("width", width), ("dpi", dpi), ("title", 0), ("notes", 0)])
