"""Filing photos that were dropped first: under whom, which lesion, where, what kind, when."""

import json
from collections.abc import Sequence

from django.contrib import messages
from django.db import IntegrityError, transaction
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from skinclinic.forms.filing import ONE_EACH, ONE_NEW, FilingForm, PlacesOfPhotos
from skinclinic.forms.patients import PatientForm
from skinclinic.forms.seen import Seen
from skinclinic.models import Patient, Photo
from skinclinic.permissions import EDIT, get_photo_for, membership, require
from skinclinic.presenters import filing_notice
from skinclinic.services import consent, filing, patients
from skinclinic.services.filing_seen import FiledMeanwhile, places, require_seen
from skinclinic.services.records import note_first_consent
from skinclinic.web.counts import gettext as _
from skinclinic.web.counts import ngettext
from skinclinic.web.requests import SignedInRequest, is_from_script, json_error

MOST_AT_ONCE = 100
PERSON = ("birth_year", "sex", "skin_type", "ethnicity", "research_consent", "consent_on")


@require_http_methods(["GET", "HEAD", "POST"])
def photo_filing(request: SignedInRequest, pk: int | None = None) -> HttpResponse:
    """The form for photo ``pk``, or for several at once: ``?ids=1,2,3`` (or ids=1&ids=2). A script gets it for a panel
    over its page, and what was filed as JSON."""
    photos = _photos(request, pk)
    clinic = photos[0].clinic
    if request.method != "POST":
        return _page(request, photos, *_first_forms(photos))
    patient = patients.with_code(clinic, request.POST.get("code", ""))
    form = FilingForm(request.POST, patient=patient, several=len(photos) > 1)
    patient_form = PatientForm(request.POST, clinic=clinic)
    own = PlacesOfPhotos(photos, request.POST)
    # All are asked, so that every wrong field is said at once.
    is_known_or_valid = patient is not None or patient_form.is_valid()
    are_apart = form.is_valid() and form.cleaned_data["lesion"] == ONE_EACH
    if not form.is_valid() or not is_known_or_valid or (are_apart and not own.is_valid()):
        return _page(request, photos, form, patient_form, patient, status=422)
    try:
        with consent.by(request.user) as effects:
            receipt = _file(request, photos, form, patient, patient_form, own.said if are_apart else {})
    except FiledMeanwhile as meanwhile:
        photos = _photos(request, pk)
        return _page(request, photos, form, patient_form, patient, status=409, moved=meanwhile.photos)
    except IntegrityError:
        # Somebody has made the same patient a moment ago; sent again, the form files under it.
        patient_form.add_error("code", _("This patient was just made by someone else. Send the form again."))
        return _page(request, photos, form, patient_form, None, status=422)
    except filing.TwoPathologies:
        form.add_error(
            "lesion",
            _("Both lesions have a pathology diagnosis. Withdraw one of them before you join them."),
        )
        return _page(request, photos, form, patient_form, patient, status=422)
    warning = ""
    if effects:
        warning = " ".join(
            [_("The patient has not given consent to the archive."), *(one.text for one in effects)]
        )
    filing_notice.remember(request, receipt, shown=is_from_script(request))
    if is_from_script(request):
        return JsonResponse({"said": filing_notice.said(receipt), "photos": _ids(photos), "warning": warning})
    if warning:
        messages.warning(request, warning)
    return (
        redirect("lesion", photos[0].lesion_id)
        if len(photos) == 1
        else redirect("patient", receipt["patient"])
    )


@require_safe
def photo_filing_patient(request: SignedInRequest, pk: int) -> HttpResponse:
    """The part of the form that depends on the patient: known lesions, or the fields of a new patient."""
    photo = get_photo_for(request.user, pk, EDIT)
    code = request.GET.get("code", "")
    several = request.GET.get("several") == "1"
    patient = patients.with_code(photo.clinic, code)
    # A known lesion chosen before was another patient's.
    # Several lesions in one photo are several lesions, unless somebody says otherwise.
    usual = ONE_EACH if several and photo.picture else ONE_NEW
    lesion = ONE_EACH if request.GET.get("lesion", usual) == ONE_EACH else ONE_NEW
    context = {
        "patient": patient,
        "code": code,
        "lesions": patients.lesions_of(patient) if patient else [],
        "form": FilingForm(patient=patient, several=several, initial={"lesion": lesion}),
        "patient_form": PatientForm(
            clinic=photo.clinic, initial={name: request.GET.get(name, "") for name in PERSON}
        ),
        "several": several,
        "photos": [photo],
    }
    return render(request, "patients/filing_patient.html", context)


@require_safe
def patient_codes_like(request: SignedInRequest, pk: int) -> JsonResponse:
    """Choices of the patient code's type-ahead, in the clinic of photo ``pk``."""
    photo = get_photo_for(request.user, pk, EDIT)
    found = patients.codes_like(photo.clinic, request.GET.get("q", ""))
    return JsonResponse(
        {"terms": [{"value": row.code, "label": row.code, "detail": patients.in_short(row)} for row in found]}
    )


@require_POST
def filing_undo(request: SignedInRequest) -> HttpResponse:
    """Take the last filing back, if nothing of it has changed since."""
    receipt = filing_notice.take(request)
    if receipt is None:
        require(request.membership, EDIT)
        if is_from_script(request):
            return json_error(409, "nothing_to_undo", _("There is nothing to undo."))
        messages.info(request, _("There is nothing to undo."))
        return redirect("worklist")
    require(membership(request.user, receipt["clinic"]), EDIT)
    try:
        with consent.by(request.user):
            photos = filing.undo(receipt)
    except filing.MovedOn:
        said = _("The photos have been changed since. Nothing was undone.")
        if is_from_script(request):
            return json_error(409, "moved_on", said)
        messages.warning(request, said)
        return redirect("worklist")
    said = ngettext(
        "Undone: %(count)s photo is where it was.",
        "Undone: %(count)s photos are where they were.",
        len(photos),
    ) % {"count": len(photos)}
    if is_from_script(request):
        return JsonResponse({"said": said, "photos": _ids(photos)})
    messages.success(request, said)
    return redirect("photo-filing", photos[0].pk) if len(photos) == 1 else redirect("worklist")


def _ids(photos: Sequence[Photo]) -> list[int]:
    return [photo.pk for photo in photos]


def _photos(request: SignedInRequest, pk: int | None) -> list[Photo]:
    """The photos to file, in the order asked, all of one clinic. Raises Http404 and PermissionDenied."""
    asked = [
        part.strip() for value in request.GET.getlist("ids") for part in value.split(",") if part.strip()
    ]
    if any(not (part.isascii() and part.isdigit()) or len(part) > 18 for part in asked):
        raise Http404
    first = [] if pk is None else [pk]
    ids = list(dict.fromkeys([*first, *(int(part) for part in asked[:MOST_AT_ONCE])]))
    if not ids:
        raise Http404
    clinic = get_photo_for(request.user, ids[0], EDIT).clinic
    found = Photo.objects.filter(clinic=clinic).select_related("lesion__patient", "clinic").in_bulk(ids)
    if len(found) != len(ids):
        raise Http404
    return [found[number] for number in ids]


def _first_forms(photos: list[Photo]) -> tuple[FilingForm, PatientForm, Patient | None]:
    """The forms as they first appear, filled with what is known."""
    first, several = photos[0], len(photos) > 1
    patient = first.lesion.patient
    initial = _place_of(first) | {"lesion": first.lesion_id if patient else ""}
    if not several:
        taken = first.captured_at
        initial |= {"kind": first.kind, "captured_on": timezone.localdate(taken) if taken else None}
    form = FilingForm(patient=patient, several=several, initial=initial)
    code = {"code": patient.code} if patient else {}
    return form, PatientForm(clinic=first.clinic, initial=code), patient


def _place_of(photo: Photo) -> dict:
    lesion = photo.lesion
    return {"site": lesion.site, "site_x": lesion.site_x, "site_y": lesion.site_y}


@transaction.atomic
def _file(
    request: SignedInRequest,
    photos: list[Photo],
    form: FilingForm,
    patient: Patient | None,
    patient_form: PatientForm,
    places_of: dict[int, filing.Place],
) -> dict:
    require_seen(photos, Seen.of(request.POST).values)
    is_new = patient is None
    if patient is None:
        patient_form.instance.created_by = request.user
        patient = patient_form.save()
        note_first_consent(patient, request.user)
    cleaned, several = form.cleaned_data, len(photos) > 1
    details = filing.Details(
        **form.place,
        places=places_of,
        kind=cleaned["kind"],
        captured_on=cleaned["captured_on"],
        keep_day=several,
    )
    return filing.file_photos(
        photos,
        user=request.user,
        patient=patient,
        lesion=form.chosen,
        apart=cleaned["lesion"] == ONE_EACH,
        details=details,
        new_patient=is_new,
    )


def _page(
    request: HttpRequest,
    photos: list[Photo],
    form: FilingForm,
    patient_form: PatientForm,
    patient: Patient | None,
    status: int = 200,
    moved: Sequence[Photo] = (),
) -> HttpResponse:
    seen = request.POST.get("seen") if status == 422 else None
    context = {
        "seen": json.dumps(places(photos)) if seen is None else seen,
        "moved": moved,
        "photos": photos,
        "several": len(photos) > 1,
        "form": form,
        "patient_form": patient_form,
        "patient": patient,
        "code": patient_form["code"].value() or "",
        "lesions": patients.lesions_of(patient) if patient else [],
        "places": PlacesOfPhotos(photos, request.POST if status != 200 else None).rows,
        "in_panel": is_from_script(request),
    }
    template = "patients/filing_panel.html" if context["in_panel"] else "patients/filing.html"
    return render(request, template, context, status=status)
