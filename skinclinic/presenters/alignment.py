"""An alignment of two photos in words, and why there is none."""

from django.utils.translation import gettext_lazy

from skinclinic.imaging import alignment
from skinclinic.services.alignments import GONE, Found
from skinclinic.web.counts import gettext as _
from skinclinic.web.counts import ngettext

REASONS = {
    alignment.FEW_POINTS: gettext_lazy("one of them shows too few clear points"),
    alignment.FEW_MATCHES: gettext_lazy("too few points agree"),
    alignment.ONE_CORNER: gettext_lazy("the points that agree lie in one corner only"),
    alignment.SCALE: gettext_lazy("one was taken from much closer"),
    alignment.SLANT: gettext_lazy("they were taken from different sides"),
    alignment.APART: gettext_lazy("they have too little skin in common"),
    alignment.UNLIKE: gettext_lazy("laid over each other they do not look alike"),
    GONE: gettext_lazy("the file of one cannot be read"),
}


def alignment_json(found: Found) -> dict:
    """``matrix`` brings a point of photo B onto photo A, in pixels as stored; null: shown as they are."""
    if found.alignment is None:
        words = _("Cannot be aligned: %(reason)s. The photos are shown as they are.")
        return {
            "matrix": None,
            "points": 0,
            "reason": found.reason,
            "said": words % {"reason": REASONS[found.reason]},
        }
    points = found.alignment.points
    words = ngettext(
        "Aligned by %(points)s matching point: photo B is turned, scaled and shifted.",
        "Aligned by %(points)s matching points: photo B is turned, scaled and shifted.",
        points,
    )
    said = words % {"points": points} + " " + _("Alignment does not measure growth.")
    return {"matrix": found.alignment.matrix, "points": points, "reason": "", "said": said}
