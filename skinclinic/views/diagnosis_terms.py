"""The choices of the diagnosis type-ahead."""

from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from skinclinic.presenters.diagnosis_choices import choices


@require_safe
def diagnosis_terms(request: HttpRequest) -> JsonResponse:
    """``?q=`` text typed; ``icd10=1`` also offers other diagnoses. {"terms": [...]}."""
    return JsonResponse(
        {"terms": choices(request.GET.get("q", ""), takes_any=request.GET.get("icd10") == "1")}
    )
