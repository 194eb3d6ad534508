"""What goes when a patient is erased, in words."""

from collections.abc import Mapping

from skinclinic.presenters import bin as words
from skinclinic.web.counts import ngettext


def counted(counts: Mapping[str, int]) -> list[str]:
    """What goes, one line each."""
    lines = words.counted(counts)
    if n := counts.get("binned"):
        text = ngettext("%(n)d deletion that lies in the bin", "%(n)d deletions that lie in the bin", n)
        lines.append(text % {"n": n})
    if (n := counts.get("patients", 1) - 1) > 0:
        text = ngettext(
            "%(n)d patient who was made one with this one",
            "%(n)d patients who were made one with this one",
            n,
        )
        lines.append(text % {"n": n})
    return lines
