"""What a figure can be downloaded as: asked for by a form on it, taken from the address."""

from dataclasses import dataclass

from django.http import QueryDict
from django.utils.translation import gettext as _

from classifier.plots.frame import Form
from classifier.services.evaluation.figure_files import DPI, KINDS, WIDTHS, Print, form_of


@dataclass(frozen=True)
class Wanted:
    kind: str
    how: Print
    form: Form


def wanted(asked: QueryDict) -> Wanted | None:
    """``as``, ``width`` (mm), ``dpi``, ``title`` and ``notes`` ("0": without); None where one of them is unknown."""
    kind, width, dpi = asked.get("as", ""), asked.get("width", "174"), asked.get("dpi", "300")
    if kind not in KINDS or width not in map(str, WIDTHS) or dpi not in map(str, DPI):
        return None
    has_title, has_notes = (asked.get(name, "1") != "0" for name in ("title", "notes"))
    how = Print(int(width), int(dpi))
    return Wanted(kind, how, form_of(how.width, has_title=has_title, has_notes=has_notes))


def choices() -> dict:
    """What the form offers."""
    return {
        "kinds": [
            ("pdf", _("PDF, letters embedded")), ("svg", _("SVG, letters as outlines")),
            ("eps", _("EPS, letters as outlines, no transparency")), ("tiff", "TIFF (LZW)"), ("png", "PNG"),
            ("docx", _("Table, Word")), ("tex", _("Table, LaTeX")), ("csv", _("Table, CSV")),
        ],
        "widths": [(85, _("85 mm, one column")), (174, _("174 mm, two columns"))],
        "dpi": DPI,
    }  # fmt: skip
