"""What the figures of a study share: the marks of groups, and words. Pure but for translations."""

import re

from classifier.plots.canvas import CIRCLE, DIAMOND, SQUARE, TRIANGLE
from skinclinic.web.counts import gettext as _
from skinclinic.web.counts import ngettext

# Colour and shape by the place of a group; the paper's professors are red, its clinicians blue.
GROUP_MARKS = (
    ("vermillion", CIRCLE), ("blue", SQUARE), ("green", TRIANGLE), ("purple", DIAMOND), ("orange", SQUARE),
    ("sky", TRIANGLE), ("muted", DIAMOND), ("green", CIRCLE),
)  # fmt: skip


def group_mark(place: int) -> tuple[str, str]:
    """Colour and shape of the group in this place."""
    return GROUP_MARKS[place % len(GROUP_MARKS)]


def readers_text(count: int) -> str:
    return ngettext("%(n)d reader", "%(n)d readers", count) % {"n": count}


def photos_text(count: int) -> str:
    return ngettext("%(n)d photo", "%(n)d photos", count) % {"n": count}


def file_name(*parts: str) -> str:
    """Parts of a figure's file name, joined, without what file systems mind."""
    tidy = (re.sub(r"[^\w.]+", "-", part).strip("-.").lower() for part in parts)
    return "-".join(part for part in tidy if part) or "figure"


def synthetic_note(drawn: bool) -> str:
    """What stands on every figure of a study that is no real one."""
    if not drawn:
        return ""
    return _("Synthetic: the lesions were drawn or the readers simulated. Nothing here is about patients.")


def session_name(key: str) -> str:
    """A session in words; one of a file with a name of its own keeps it."""
    return {"unaided": _("unaided"), "aided": _("aided")}.get(key, key)
