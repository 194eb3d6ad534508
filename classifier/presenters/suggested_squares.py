"""Suggested squares as people see them: where they stand, in words, and who chose one."""

from typing import Any

from classifier.models import Analysis
from classifier.services.analysis import suggested_squares
from classifier.services.analysis.suggested_squares import Suggestion
from skinclinic.engine import jobs
from skinclinic.models import Photo
from skinclinic.presenters.job_errors import words_of
from skinclinic.web.counts import gettext as _
from skinclinic.web.counts import ngettext


def in_json(found: Suggestion) -> dict[str, Any]:
    """For the page's script."""
    return {
        "state": found.state,
        "words": in_words(found),
        "squares": [{"x": box.x, "y": box.y, "size": box.size} for box in found.boxes],
    }


def in_words(found: Suggestion) -> str:
    """Where they stand; "" where nobody has asked yet."""
    if found.state == suggested_squares.WAITING:
        if not jobs.engine_online():
            return _("The analysis engine is not running; the suggestions come once it is.")
        return _("The model looks at the whole photo…")
    if found.state == suggested_squares.FAILED and found.job:
        return _("No squares could be suggested: %(why)s") % {"why": words_of(found.job)}
    if found.state != suggested_squares.DONE:
        return ""
    if not found.boxes:
        return _("The model finds nothing in this photo that stands out. Choose the square yourself.")
    said = ngettext(
        "%(n)d square, suggested by the network %(model)s.",
        "%(n)d squares, suggested by the network %(model)s, the likeliest first.",
        len(found.boxes),
    ) % {"n": len(found.boxes), "model": found.model}
    return f"{said} " + _(
        "It tells what stands out in the photo, not what a lesion is, and is often wrong. None is chosen until you do."
    )


def context(photo: Photo) -> dict[str, Any]:
    """For the form on which a square is chosen."""
    found = suggested_squares.of(photo)
    return {"suggestion": found, "suggestion_words": in_words(found)}


def of_square(analysis: Analysis) -> str:
    """Where the analysed square comes from, if it was suggested; else ""."""
    if not analysis.suggested_square:
        return ""
    values = {"n": analysis.suggested_square, "name": analysis.requested_by or "–"}
    return _("suggestion %(n)d of the network, chosen by %(name)s") % values
