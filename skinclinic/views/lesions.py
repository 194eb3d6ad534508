"""A lesion: opening and changing it, and its page over time."""

from datetime import datetime

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from skinclinic.forms.lesions import LesionForm
from skinclinic.forms.pathology import PathologyForm
from skinclinic.models import Diagnosis, Lesion, Member, Patient, Photo
from skinclinic.permissions import EDIT, get_for, member_of
from skinclinic.presenters.filing_notice import filed_just_now
from skinclinic.presenters.plan import plan_of
from skinclinic.presenters.walk import walk_of
from skinclinic.services import cases, worklist
from skinclinic.services.lesions import NotEmpty, delete_empty
from skinclinic.templatetags.ui import disease_name
from skinclinic.web.requests import SignedInRequest

FIELDS = ("site", "site_x", "site_y", "note")


@require_http_methods(["GET", "HEAD", "POST"])
def lesion_new(request: SignedInRequest, pk: int) -> HttpResponse:
    """Open a lesion of patient ``pk``."""
    patient = get_for(request.user, Patient, pk, EDIT)
    lesion = Lesion(clinic=patient.clinic, patient=patient, created_by=request.user)
    return _save_or_show(request, lesion)


@require_http_methods(["GET", "HEAD", "POST"])
def lesion_edit(request: SignedInRequest, pk: int) -> HttpResponse:
    return _save_or_show(request, _lesion(request, pk, EDIT))


@require_safe
def lesion(request: SignedInRequest, pk: int) -> HttpResponse:
    """Photos side by side in the order they were taken, diagnoses with their history, pathology."""
    return lesion_page(request, _lesion(request, pk), None)


@require_POST
def lesion_delete(request: SignedInRequest, pk: int) -> HttpResponse:
    """Delete a lesion that holds nothing."""
    row = _lesion(request, pk, EDIT)
    try:
        delete_empty(row)
    except NotEmpty:
        messages.error(
            request, _("This lesion has photos or diagnoses. Only an empty lesion can be deleted.")
        )
        return redirect("lesion", pk)
    messages.success(request, _("The empty lesion was deleted."))
    return redirect("patient", row.patient_id) if row.patient_id else redirect("worklist")


def lesion_page(request: SignedInRequest, row: Lesion, pathology: PathologyForm | None) -> HttpResponse:
    """Render the page; with a sent ``pathology`` form that was not valid, as 422."""
    member = member_of(request.user, row.clinic_id)
    photos = sorted(row.photos.all(), key=_taken)
    diagnoses, hides_colleagues = _diagnoses(request, member, row)
    standing = [diagnosis for diagnosis in diagnoses if diagnosis.withdrawn_at is None]
    proof = next((diagnosis for diagnosis in standing if diagnosis.kind == Diagnosis.Kind.PATHOLOGY), None)
    chosen = _chosen(request, photos)
    context = {
        "lesion": row,
        "photos": photos,
        "compared": [photo for photo in photos if photo.pk in chosen],
        "chosen": chosen,
        "proof": proof,
        "diagnoses": diagnoses,
        "hides_colleagues": hides_colleagues,
        "pathology": pathology or PathologyForm(initial=_as_filled_in(proof)),
        "pathology_open": pathology is not None,
        "can_edit": member.can_edit,
        "add_photo_url": f"{reverse('upload')}?lesion={row.pk}",
        "is_empty": not photos and not diagnoses and not hides_colleagues,
        "answer_is_hidden": bool(
            worklist.hidden_answers(request.user, member, [row.cover_id] if row.cover_id else [])
        ),
        "filed": filed_just_now(request),
        "plan": plan_of(row, member),
        "walk": walk_of(request, request.user, member, row),
    }
    return render(request, "lesions/lesion.html", context, status=422 if pathology else 200)


def _lesion(request: SignedInRequest, pk: int, need: str = "view") -> Lesion:
    return get_for(request.user, Lesion.objects.select_related("patient", "cover", "created_by"), pk, need)


def _diagnoses(request: SignedInRequest, member: Member, row: Lesion) -> tuple[list[Diagnosis], bool]:
    """The diagnoses, and whether colleagues' impressions are kept back: where the own impression comes first, they are
    until this person has decided."""
    rows = list(row.diagnoses.select_related("created_by", "withdrawn_by"))
    said = cases.latest_decisions([row.pk]).get(row.pk, [])
    if worklist.answers_are_open(member) or any(one.user_id == request.user.pk for one in said):
        return rows, False
    own = [
        one for one in rows if one.kind != Diagnosis.Kind.IMPRESSION or one.created_by_id == request.user.pk
    ]
    return own, len(own) < len(rows)


def _save_or_show(request: HttpRequest, row: Lesion) -> HttpResponse:
    is_sent, is_new = request.method == "POST", row.pk is None
    initial = {name: getattr(row, name) for name in FIELDS}
    form = LesionForm(request.POST if is_sent else None, initial=initial)
    if is_sent and form.is_valid():
        for name in FIELDS:
            setattr(row, name, form.cleaned_data[name])
        # Its state and scores belong to the worker that may be writing them now.
        row.save(update_fields=None if is_new else FIELDS)
        messages.success(request, _("Saved."))
        return redirect("lesion", row.pk)
    context = {"form": form, "lesion": row, "is_new": is_new}
    return render(request, "lesions/form.html", context, status=422 if is_sent else 200)


def _taken(photo: Photo) -> tuple[datetime, int]:
    return photo.captured_at or photo.created_at, photo.pk


def _chosen(request: HttpRequest, photos: list[Photo]) -> set[int]:
    """The photos compared: those the address names (?photos=1&photos=2), else the last two."""
    asked = set(request.GET.getlist("photos"))
    named = {photo.pk for photo in photos if str(photo.pk) in asked}
    return named or {photo.pk for photo in photos[-2:]}


def _as_filled_in(proof: Diagnosis | None) -> dict:
    if proof is None:
        return {}
    return {
        "diagnosis": proof.disease or f"icd10:{proof.icd10}",
        "diagnosis_typed": disease_name(proof.disease) if proof.disease else proof.icd10,
        "confirmed_by": proof.confirmed_by,
        "diagnosed_on": proof.diagnosed_on,
        "text": proof.text,
    }
