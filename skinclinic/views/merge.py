"""Making one patient of two: choosing the other, both side by side, and the act."""

import json
from collections.abc import Mapping

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from skinclinic.forms import merge as forms
from skinclinic.models import Patient
from skinclinic.permissions import EDIT, get_for
from skinclinic.services import consent, patients
from skinclinic.services.binning import items, merges, places
from skinclinic.services.refused import Refused
from skinclinic.web.requests import SignedInRequest


@require_http_methods(["GET", "HEAD", "POST"])
def patient_merge(request: SignedInRequest, pk: int) -> HttpResponse:
    """The patient ``pk`` stays; ``code`` names the other."""
    keep = get_for(request.user, Patient, pk, EDIT)
    sent = request.POST if request.method == "POST" else None
    code = (sent or request.GET).get("code", "").replace("\0", "").strip()
    other = patients.with_code(keep.clinic, code) if code else None
    if other is None:
        error = _("There is no patient with this code in the clinic.") if code else ""
        return _choose(request, keep, code, error)
    if why := merges.why_not(keep, other):
        return _choose(request, keep, code, why)
    if sent is None:
        return _side_by_side(request, keep, other)
    try:
        item = merges.merge(keep, other, forms.chosen(sent), request.user, looked=forms.looked(sent))
    except items.Gone:
        raise Http404 from None
    except merges.ChangedMeanwhile:
        keep.refresh_from_db()
        other.refresh_from_db()
        return _side_by_side(request, keep, other, status=409, sent=sent)
    except Refused as refused:
        return _side_by_side(request, keep, other, status=422, sent=sent, error=str(refused))
    return redirect("bin-item", item.pk)


@require_safe
def patient_merge_codes(request: SignedInRequest, pk: int) -> JsonResponse:
    """Choices of the type-ahead: the clinic's other patients by code."""
    keep = get_for(request.user, Patient, pk, EDIT)
    found = [row for row in patients.codes_like(keep.clinic, request.GET.get("q", "")) if row.pk != pk]
    return JsonResponse(
        {"terms": [{"value": row.code, "label": row.code, "detail": patients.in_short(row)} for row in found]}
    )


def _choose(request: HttpRequest, keep: Patient, code: str, error: str) -> HttpResponse:
    context = {
        "keep": keep,
        "code": code,
        "error": error or (_("An imported patient cannot be merged.") if keep.is_archived else ""),
        "codes_url": reverse("patient-merge-codes", args=[keep.pk]),
    }
    return render(request, "patients/merge_choose.html", context, status=422 if error else 200)


def _side_by_side(
    request: HttpRequest,
    keep: Patient,
    other: Patient,
    *,
    status: int = 200,
    sent: Mapping[str, str] | None = None,
    error: str = "",
) -> HttpResponse:
    lines = forms.lines(keep, other, sent)
    context = {
        "keep": keep,
        "other": other,
        "lines": lines,
        "differing": [line for line in lines if line.differs],
        "sizes": [
            {"code": patient.code, "lesions": list(patients.lesions_of(patient))} for patient in (keep, other)
        ],
        "foreseen": [*consent.foreseen(keep), *consent.foreseen(other)],
        "still_two": places.still_two(keep, other),
        "seen": json.dumps(merges.seen(keep, other)),
        "changed": status == 409,
        "error": error,
        "days": items.KEPT_FOR.days,
    }
    return render(request, "patients/merge.html", context, status=status)
