"""The choices of the diagnosis type-ahead."""

from dataclasses import asdict

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from skinclinic.vocabulary import terms


def choices(query: str, *, takes_any: bool) -> list[dict]:
    """The choices for what was typed; ``takes_any`` also offers other diagnoses, of the list or by a code, and last
    the text itself."""
    query = query.replace("\0", "")
    shown = [_shown(term) for term in terms.find(query, get_language() or "en", with_others=takes_any)]
    words = " ".join(query.split())
    if takes_any and words and terms.resolve("", words) is None:
        shown.append(
            {
                "value": terms.AS_TYPED,
                "label": words,
                "shown": _("Use “%(words)s” as typed") % {"words": words},
            }
        )
    return shown


def _shown(term: terms.Term) -> dict:
    shown = asdict(term)
    if term.tier == "other":
        shown["detail"] = _("Another diagnosis: name it in words below")
    elif term.tier:
        shown["tier_label"] = {
            "malignant": _("malignant"),
            "premalignant": _("premalignant"),
            "benign": _("benign"),
        }[term.tier]
    return shown
