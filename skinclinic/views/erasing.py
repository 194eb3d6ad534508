"""Erasing a patient for good, and what was erased."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from skinclinic.forms.erasing import ErasureForm
from skinclinic.models import BinItem, Erasure, Patient
from skinclinic.permissions import ADMIN, clinic_member, get_for
from skinclinic.presenters import erasing as words
from skinclinic.presenters.paging import paged
from skinclinic.services import step_up
from skinclinic.services.binning.bin import MoreThanSeen
from skinclinic.services.binning.items import Gone
from skinclinic.services.erasing import erase as service
from skinclinic.services.erasing import named_elsewhere
from skinclinic.web.requests import MemberRequest, SignedInRequest

PAGE_SIZE = 50


@require_http_methods(["GET", "HEAD", "POST"])
def patient_erase(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show what is touched, ask for the reason and the code, then erase."""
    patient = get_for(request.user, Patient, pk, ADMIN)
    return _erase(request, patient, reverse("patient", args=[pk]))


@require_http_methods(["GET", "HEAD", "POST"])
def bin_erase(request: SignedInRequest, pk: int) -> HttpResponse:
    """The same of a patient who lies in the bin."""
    item = get_for(request.user, BinItem, pk, ADMIN)
    if item.kind != BinItem.Kind.PATIENT or item.ended_at:
        raise Http404
    return _erase(request, item, reverse("bin-item", args=[pk]))


@clinic_member(ADMIN)
@require_safe
def erasures(request: MemberRequest) -> HttpResponse:
    """What was erased: who, when, why, how much, and whether all files are gone."""
    rows = Erasure.objects.filter(clinic=request.membership.clinic).select_related("by")
    shown = paged(request, rows, size=PAGE_SIZE)
    context = shown | {"erasures": [(row, words.counted(row.counts)) for row in shown["rows"]]}
    return render(request, "erasing/list.html", context)


def _erase(request: SignedInRequest, subject: service.Subject, back: str) -> HttpResponse:
    code = service.code_of(subject)
    form = ErasureForm(request.POST if request.method == "POST" else None, code=code)
    changed = False
    if request.method == "POST" and form.is_valid():
        step_up.require(request)
        try:
            _erasure, effects = service.erase(
                subject, request.user, reason=form.cleaned_data["reason"], seen=request.POST.get("seen", "")
            )
        except Gone:
            raise Http404 from None
        except MoreThanSeen:
            changed = True
        else:
            messages.success(request, _("The patient is erased. Files are being removed."))
            for effect in effects:
                messages.info(request, effect.text)
            return redirect("erasures")
    foreseen = service.foreseen(subject)
    context = {
        "form": form,
        "code": code,
        "counted": words.counted(foreseen.counts),
        "effects": foreseen.effects,
        "named": named_elsewhere.places(subject.clinic_id, service.key_of(subject), code),
        "seen": foreseen.seen,
        "changed": changed,
        "back": back,
        "in_bin": isinstance(subject, BinItem),
    }
    status = 409 if changed else 422 if form.is_bound else 200
    return render(request, "erasing/erase.html", context, status=status)
