"""The hospital's record systems: set up by admins, and how a patient is opened from one."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from skinclinic.forms.record_systems import RecordSystemForm
from skinclinic.models import RecordSystem, User
from skinclinic.permissions import ADMIN, EDIT, clinic_member, get_for, may, member_of
from skinclinic.services import audit, record_systems, step_up
from skinclinic.services.patients import lesions_of
from skinclinic.services.record_systems import Failed
from skinclinic.services.refused import Refused
from skinclinic.web.middleware import SESSION_KEY
from skinclinic.web.requests import MemberRequest, SignedInRequest

KEPT = "smart_launches"
MOST_KEPT = 5
PROBLEMS = {
    "unknown": gettext_lazy(
        "This record system is not set up for your clinic. An admin does that: Clinic settings, Record systems."
    ),
    "unreachable": gettext_lazy(
        "The record system does not answer, or its address leads into a private network that the server's operator "
        "has not allowed (WEBHOOK_NETWORKS)."
    ),
    "not_smart": gettext_lazy(
        "The record system does not say how SMART apps sign in there. Tell its operator."
    ),
    "refused": gettext_lazy(
        "The record system did not let this product in. Tell an admin: its ID or secret may be wrong."
    ),
    "no_patient": gettext_lazy("The record system named no patient. Open a patient there first."),
    "no_identifier": gettext_lazy(
        "The patient has no identifier there that could be a code here. Tell an admin, who says which is read."
    ),
    "over": gettext_lazy(
        "This took too long, or began in another browser. Start again in the record system."
    ),
    "secret_lost": gettext_lazy(
        "The server's key was changed. An admin sets the record system up once more."
    ),
}
STATUSES = {"unknown": 403, "over": 400, "no_patient": 409, "no_identifier": 409}


@clinic_member(ADMIN)
@require_http_methods(["GET", "HEAD", "POST"])
def record_system_list(request: MemberRequest) -> HttpResponse:
    """The clinic's record systems; POST sets one up."""
    clinic = request.membership.clinic
    form = RecordSystemForm(request.POST if request.method == "POST" else None)
    status = 200
    if form.is_bound and form.is_valid():
        step_up.require(request)
        try:
            record_systems.make(clinic, request.user, **form.cleaned_data)
        except Refused as refused:
            form.add_error(refused.field, str(refused))
        else:
            messages.success(request, _("Saved."))
            return redirect("record-systems")
    if form.is_bound:
        status = 422
    context = {
        "form": form,
        "rows": clinic.record_systems.all(),
        "launch_url": request.build_absolute_uri(reverse("smart-launch")),
        "back_url": _back(request),
        "scope": record_systems.SCOPE,
    }
    return render(request, "people/record_systems.html", context, status=status)


@require_POST
def record_system_act(request: SignedInRequest, pk: int) -> HttpResponse:
    """Turn it on or off, remove it."""
    row, act = get_for(request.user, RecordSystem, pk, ADMIN), request.POST.get("act")
    if act in ("on", "off"):
        if act == "on":
            step_up.require(request)
        record_systems.turn(row, request.user, on=act == "on")
    elif act == "remove":
        record_systems.remove(row, request.user)
        messages.success(request, _("The record system was removed."))
    return redirect("record-systems")


@login_not_required
@never_cache
@require_safe
def launch(request: HttpRequest) -> HttpResponse:
    """Where the record system sends people: ``iss`` is its FHIR address, ``launch`` its word for the context. Who is
    not signed in goes by the hospital's own sign-in, where there is one."""
    user = request.user
    if not isinstance(user, User):
        here = request.get_full_path()
        if settings.OIDC_ISSUER:
            to = reverse("openid_connect_login", args=["hospital"])
            return redirect(f"{to}?{urlencode({'next': here})}")
        return redirect_to_login(here)
    member = getattr(request, "membership", None)
    try:
        row = record_systems.called(user, request.GET.get("iss", "")[:300], member and member.clinic)
        leaving = record_systems.leave(row, request.GET.get("launch", "")[:2000], _back(request))
    except Failed as failed:
        return _failed(request, failed)
    kept = {**request.session.get(KEPT, {}), leaving.state: leaving.kept}
    request.session[KEPT] = dict(list(kept.items())[-MOST_KEPT:])
    return redirect(leaving.address)


@never_cache
@require_safe
def come_back(request: SignedInRequest) -> HttpResponse:
    """Where the record system sends people back with a code: on to the patient, or to making one."""
    launches = request.session.get(KEPT, {})
    if (kept := launches.pop(request.GET.get("state", ""), None)) is not None:
        request.session[KEPT] = launches
    try:
        if kept is None or record_systems.is_over(kept):
            raise Failed("over")
        row = RecordSystem.objects.filter(pk=kept["system"], is_on=True).select_related("clinic").first()
        if row is None:
            raise Failed("unknown")
        member = member_of(request.user, row.clinic_id)
        code = request.GET.get("code", "")
        if not code or request.GET.get("error"):
            raise Failed("refused")
        codes = record_systems.codes_of_patient(row, kept, code[:4000], _back(request))
    except Failed as failed:
        return _failed(request, failed)
    request.session[SESSION_KEY] = row.clinic.slug
    patient = record_systems.patient_with(row.clinic, codes)
    audit.record(
        "patient.launch", patient or row, clinic=row.clinic, by=request.user, facts={"system": row.pk}
    )
    if patient is not None:
        lesions = list(lesions_of(patient)[:2])
        return redirect("lesion", lesions[0].pk) if len(lesions) == 1 else redirect("patient", patient.pk)
    # A word for the head of the page: the clinic is the record system's from now on.
    request.membership = member
    context = {"system": row, "codes": codes, "can_edit": may(member, EDIT)}
    return render(request, "people/launched_patient.html", context)


def _back(request: HttpRequest) -> str:
    return request.build_absolute_uri(reverse("smart-back"))


def _failed(request: HttpRequest, failed: Failed) -> HttpResponse:
    context = {"message": PROBLEMS[failed.code]}
    return render(request, "people/launch_failed.html", context, status=STATUSES.get(failed.code, 502))
