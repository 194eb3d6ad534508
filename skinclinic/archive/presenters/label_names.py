"""Labels in words, and words as labels."""

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from skinclinic.archive import labels
from skinclinic.archive.services.searching.selection import MALIGNANT, OTHERS
from skinclinic.vocabulary import terms


def group_name(label: str) -> str:
    """A label or a group of labels in words, as the type-ahead shows it."""
    groups = {MALIGNANT: _("Malignant"), OTHERS: _("Others (not among the 12)")}
    return groups.get(label) or labels.name(label, get_language() or "en")


def known_label(text: str) -> str:
    """The key of the disease that ``text`` names exactly, else the text."""
    found = terms.resolve("", text) if text else None
    return found[0] if found and found[0] else text
