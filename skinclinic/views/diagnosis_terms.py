"""The choices of the diagnosis type-ahead."""

from dataclasses import asdict

from django.http import HttpRequest, JsonResponse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from skinclinic.vocabulary import terms


@require_safe
def diagnosis_terms(request: HttpRequest) -> JsonResponse:
    """``?q=`` text typed; ``icd10=1`` also offers another diagnosis by its code. {"terms": [...]}."""
    query = request.GET.get("q", "").replace("\0", "")
    found = terms.find(query, get_language() or "en", with_icd10=request.GET.get("icd10") == "1")
    return JsonResponse({"terms": [_shown(term) for term in found]})


def _shown(term: terms.Term) -> dict:
    shown = asdict(term)
    if term.tier == "other":
        shown["detail"] = _("Another diagnosis: name it in words below")
    else:
        shown["tier_label"] = {
            "malignant": _("malignant"),
            "premalignant": _("premalignant"),
            "benign": _("benign"),
        }[term.tier]
    return shown
