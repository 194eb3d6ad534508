"""The choices of the diagnosis type-ahead."""

from dataclasses import asdict

from django.http import HttpRequest, JsonResponse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from skinclinic.vocabulary import terms


@require_safe
def diagnosis_terms(request: HttpRequest) -> JsonResponse:
    """``?q=`` text typed; ``icd10=1`` also offers other diagnoses, of the list or by a code, and last the text itself.
    {"terms": [...]}."""
    query = request.GET.get("q", "").replace("\0", "")
    takes_any = request.GET.get("icd10") == "1"
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
    return JsonResponse({"terms": shown})


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
