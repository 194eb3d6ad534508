"""Patients: the list, making and changing one, and the page of one with the lesions on the body picture."""

from django.contrib import messages
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from skinclinic.forms.patients import PatientForm
from skinclinic.models import Patient
from skinclinic.permissions import EDIT, clinic_member, get_for, member_of
from skinclinic.presenters.filing_notice import filed_just_now
from skinclinic.services import patients as service
from skinclinic.services import worklist
from skinclinic.web import keyset
from skinclinic.web.requests import MemberRequest, SignedInRequest

PAGE_SIZE = 50
ORDER = ("code", "id")
LONGEST_SEARCH = 64


@clinic_member()
@require_safe
def patients(request: MemberRequest) -> HttpResponse:
    """The clinic's patients by code; asked by htmx, only the list."""
    clinic = request.membership.clinic
    text = request.GET.get("q", "").replace("\0", "").strip()[:LONGEST_SEARCH]
    found = service.matching(clinic, text)
    try:
        page = keyset.page(found, ORDER, request.GET.get("cursor", ""), PAGE_SIZE)
    except keyset.BadCursor:
        page = keyset.page(found, ORDER, "", PAGE_SIZE)
    context = {
        "patients": page.rows,
        "q": text,
        "previous_url": _address(text, page.previous),
        "next_url": _address(text, page.next),
    }
    template = "patients/list_rows.html" if request.htmx else "patients/list.html"
    response = render(request, template, context)
    if request.htmx:
        response["HX-Push-Url"] = _address(text)
    return response


@clinic_member(EDIT)
@require_http_methods(["GET", "HEAD", "POST"])
def patient_new(request: MemberRequest) -> HttpResponse:
    form = PatientForm(request.POST if request.method == "POST" else None, clinic=request.membership.clinic)
    form.instance.created_by = request.user
    return _save_or_show(request, form, cancel_url=reverse("patients"))


@require_http_methods(["GET", "HEAD", "POST"])
def patient_edit(request: SignedInRequest, pk: int) -> HttpResponse:
    patient = get_for(request.user, Patient, pk, EDIT)
    form = PatientForm(
        request.POST if request.method == "POST" else None, instance=patient, clinic=patient.clinic
    )
    return _save_or_show(request, form, cancel_url=reverse("patient", args=[pk]))


@require_safe
def patient(request: SignedInRequest, pk: int) -> HttpResponse:
    """Who it is on top, then the lesions, and where they lie."""
    row = get_for(request.user, Patient, pk)
    member = member_of(request.user, row.clinic_id)
    lesions = list(service.lesions_of(row))
    hidden = worklist.hidden_answers(
        request.user, member, [lesion.told_by_id for lesion in lesions if lesion.told_by_id]
    )
    for lesion in lesions:
        lesion.answer_is_hidden = lesion.told_by_id in hidden
    context = {
        "patient": row,
        "lesions": lesions,
        "can_edit": member.can_edit,
        "filed": filed_just_now(request),
    }
    return render(request, "patients/patient.html", context)


def _save_or_show(request: HttpRequest, form: PatientForm, *, cancel_url: str) -> HttpResponse:
    is_new, is_sent = form.instance.pk is None, request.method == "POST"
    if is_sent and form.is_valid():
        try:
            row = form.save()
        except IntegrityError:
            form.add_error("code", _("This clinic already has a patient with this code."))
        else:
            messages.success(request, _("Saved: %(code)s.") % {"code": row.code})
            return redirect("patient", row.pk)
    saved = Patient.objects.filter(pk=form.instance.pk).first()
    context = {"form": form, "saved": saved, "is_new": is_new, "cancel_url": cancel_url}
    return render(request, "patients/form.html", context, status=422 if is_sent else 200)


def _address(text: str, cursor: str | None = None) -> str:
    """The address of the list; "" for a page that is not there."""
    if cursor == "":
        return ""
    query = urlencode({name: value for name, value in (("q", text), ("cursor", cursor)) if value})
    return reverse("patients") + (f"?{query}" if query else "")
