"""Patients: the list, making and changing one, and the page of one with the lesions on the body picture."""

import json
from collections.abc import Sequence
from copy import copy
from typing import cast
from urllib.parse import quote

from django.contrib import messages
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from skinclinic.forms.patients import PatientForm
from skinclinic.forms.seen import Seen
from skinclinic.models import Patient
from skinclinic.permissions import EDIT, clinic_member, get_for, member_of
from skinclinic.presenters import changed_meanwhile
from skinclinic.presenters import consent as consent_words
from skinclinic.presenters.filing_notice import filed_just_now
from skinclinic.presenters.visit import of_patient
from skinclinic.services import consent, documents, photo_answers, records, visits, worklist
from skinclinic.services import patients as service
from skinclinic.web import keyset
from skinclinic.web.middleware import uses_camera
from skinclinic.web.requests import MemberRequest, SignedInRequest

PAGE_SIZE = 50
ORDER = ("code", "id")
LONGEST_SEARCH = 64
TO_ASK = "to-ask"
TAKEN = gettext_lazy("This clinic already has a patient with this code.")


@uses_camera
@clinic_member()
@require_safe
def patients(request: MemberRequest) -> HttpResponse:
    """The clinic's patients by code; asked by htmx, only the list. ``only=to-ask``: those to be asked for consent."""
    clinic = request.membership.clinic
    text = request.GET.get("q", "").replace("\0", "").strip()[:LONGEST_SEARCH]
    only = TO_ASK if request.GET.get("only") == TO_ASK else ""
    found = service.matching(clinic, text)
    to_ask = service.how_many_to_ask(clinic) if only else None
    if only:
        found = found.filter(pk__in=service.to_ask(clinic).values("pk"))
    try:
        page = keyset.page(found, ORDER, request.GET.get("cursor", ""), PAGE_SIZE)
    except keyset.BadCursor:
        page = keyset.page(found, ORDER, "", PAGE_SIZE)
    context = {
        "patients": page.rows,
        "q": text,
        "q_quoted": quote(text),
        "only": only,
        "to_ask": to_ask.count if to_ask else 0,
        "counted_at": to_ask.at if to_ask else None,
        "previous_url": _address(text, page.previous, only),
        "next_url": _address(text, page.next, only),
    }
    template = "patients/list_rows.html" if request.htmx else "patients/list.html"
    response = render(request, template, context)
    if request.htmx:
        response["HX-Push-Url"] = _address(text, only=only)
    return response


@clinic_member()
@require_safe
def patient_find(request: MemberRequest) -> HttpResponse:
    """Open the patient of a code that was typed or scanned, whole; of any other the list says what comes near, or
    offers to make it. ``to=photos``: where photos are taken."""
    text = request.GET.get("q", "")[:LONGEST_SEARCH]
    found = service.with_code(request.membership.clinic, text)
    if found is None or found.is_archived:
        only = TO_ASK if request.GET.get("only") == TO_ASK else ""
        return redirect(_address(text.replace("\0", "").strip(), only=only))
    wants_photos = request.GET.get("to") == "photos" and request.membership.can_edit
    return redirect("patient-photos" if wants_photos else "patient", found.pk)


@clinic_member(EDIT)
@require_http_methods(["GET", "HEAD", "POST"])
def patient_new(request: MemberRequest) -> HttpResponse:
    """Make a patient; ``?code=`` is one that was looked for."""
    is_sent = request.method == "POST"
    looked_for = {"code": request.GET.get("code", "").replace("\0", "")[:LONGEST_SEARCH]}
    form = PatientForm(
        request.POST if is_sent else None, clinic=request.membership.clinic, initial=looked_for
    )
    form.instance.created_by = request.user
    if is_sent and form.is_valid():
        try:
            with transaction.atomic():
                row = form.save()
                records.note_first_consent(row, request.user)
        except IntegrityError:
            form.add_error("code", TAKEN)
        else:
            messages.success(request, _("Saved: %(code)s.") % {"code": row.code})
            return redirect("patient", row.pk)
    context = {"form": form, "is_new": True, "cancel_url": reverse("patients")}
    return render(request, "patients/form.html", context, status=422 if is_sent else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def patient_edit(request: SignedInRequest, pk: int) -> HttpResponse:
    """Change a patient; of what somebody else has changed meanwhile both versions are shown (409)."""
    stored = get_for(request.user, Patient, pk, EDIT)
    if request.method != "POST":
        return _edit_page(request, stored, PatientForm(instance=stored, clinic=stored.clinic))
    seen = Seen.of(request.POST)
    form = PatientForm(request.POST, instance=copy(stored), clinic=stored.clinic)
    if not form.is_valid() or seen.is_open:
        versions = changed_meanwhile.of_asked(Patient, seen.asked, seen.values or {}, request.POST)
        return _edit_page(request, stored, form, 422, seen=seen, versions=versions)
    wanted = seen.chosen_of(wanted_of(form, seen), records.UNITS[Patient])
    try:
        saved = records.change(stored, wanted, request.user, seen=seen.values)
    except records.Conflict as conflict:
        row = cast(Patient, conflict.row)
        initial = conflict.merged | {"names_nobody": form.cleaned_data["names_nobody"]}
        form = PatientForm(instance=row, clinic=stored.clinic, initial=initial)
        versions = changed_meanwhile.of_clashes(Patient, conflict.clashes)
        return _edit_page(request, row, form, 409, versions=versions)
    except IntegrityError:
        form.add_error("code", TAKEN)
        return _edit_page(request, stored, form, 422, seen=seen)
    messages.success(request, _("Saved: %(code)s.") % {"code": cast(Patient, saved.row).code})
    for level, text in consent_words.said_of(saved):
        getattr(messages, level)(request, text)
    return redirect("patient", pk)


@require_safe
def patient(request: SignedInRequest, pk: int) -> HttpResponse:
    """Who it is on top, then the lesions, and where they lie."""
    row = get_for(request.user, Patient, pk)
    member = member_of(request.user, row.clinic_id)
    lesions = list(service.lesions_of(row))
    hidden = worklist.hidden_answers(
        request.user, member, [lesion.told_by_id for lesion in lesions if lesion.told_by_id]
    )
    last = visits.last_of([lesion.pk for lesion in lesions])
    seen = [lesion.answer_photo for lesion in lesions if lesion.told_by_id not in hidden]
    unlike = photo_answers.unlike(seen)
    for lesion in lesions:
        lesion.answer_is_hidden = lesion.told_by_id in hidden
        lesion.answer_is_unlike = lesion.answer_photo_id in unlike
        lesion.last_photo_on = last.get(lesion.pk)
    context = {
        "patient": row,
        "lesions": lesions,
        "can_edit": member.can_edit,
        "may_erase": member.is_admin,
        "former_codes": row.former_codes.values_list("code", flat=True),
        "consent_history": consent_words.history(row),
        "filed": filed_just_now(request),
        "visit": of_patient(request.user, member, row),
        "is_patient": True,
        "documents": documents.made_on(row),
        "last_photo_on": max(last.values(), default=None),
    }
    return render(request, "patients/patient.html", context)


def wanted_of(form: PatientForm, seen: Seen) -> dict:
    """What the form asks for. One that does not say what it showed was filled in whole: what it lacks is empty,
    but for the consent, which nobody loses by a form that does not speak of it."""
    if seen.values is not None:
        return form.wanted
    everything = {
        name: value
        for name, value in form.cleaned_data.items()
        if name not in ("names_nobody", "research_consent", "consent_on")
    }
    return everything | form.wanted


def _edit_page(
    request: HttpRequest,
    patient: Patient,
    form: PatientForm,
    status: int = 200,
    *,
    seen: Seen | None = None,
    versions: Sequence[changed_meanwhile.Versions] = (),
) -> HttpResponse:
    shown = seen.values if seen and seen.values is not None else records.values_of(patient)
    context = {
        "form": form,
        "saved": patient,
        "cancel_url": reverse("patient", args=[patient.pk]),
        "seen": json.dumps(shown),
        "versions": versions,
        "must_choose": bool(seen and seen.is_open),
        "foreseen": consent.foreseen(patient),
    }
    return render(request, "patients/form.html", context, status=status)


def _address(text: str, cursor: str | None = None, only: str = "") -> str:
    """The address of the list; "" for a page that is not there."""
    if cursor == "":
        return ""
    asked = (("q", text), ("only", only), ("cursor", cursor))
    query = urlencode({name: value for name, value in asked if value})
    return reverse("patients") + (f"?{query}" if query else "")
