"""A lesion: opening and changing it, and its page over time."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from skinclinic.forms.lesions import LesionForm
from skinclinic.forms.naming import LONGEST_TYPED
from skinclinic.forms.pathology import PathologyForm
from skinclinic.forms.seen import Seen
from skinclinic.forms.sizes import PatientSizeForm, size_rows
from skinclinic.models import Diagnosis, Lesion, Member, Patient
from skinclinic.permissions import EDIT, get_for, member_of
from skinclinic.presenters import changed_meanwhile, comments, opinions
from skinclinic.presenters.comparison import comparison, taken
from skinclinic.presenters.filing_notice import filed_just_now
from skinclinic.presenters.over_time import over_time
from skinclinic.presenters.plan import plan_of
from skinclinic.presenters.sizes import sizes_of, withdrawn_of
from skinclinic.presenters.visit import visit_of
from skinclinic.presenters.walk import walk_of
from skinclinic.services import documents, impressions, photo_answers, records, worklist
from skinclinic.templatetags.ui import disease_name
from skinclinic.vocabulary import listed
from skinclinic.vocabulary.terms import AS_TYPED, LISTED
from skinclinic.web.requests import SignedInRequest

FIELDS = ("site", "site_x", "site_y", "note")


@dataclass(frozen=True)
class PathologyClash:
    """Another pathology than the form showed: what stands, and what was to take its place, not saved."""

    standing: Diagnosis | None
    wanted: Diagnosis


@require_http_methods(["GET", "HEAD", "POST"])
def lesion_new(request: SignedInRequest, pk: int) -> HttpResponse:
    """Open a lesion of patient ``pk``."""
    patient = get_for(request.user, Patient, pk, EDIT)
    is_sent = request.method == "POST"
    form = LesionForm(request.POST if is_sent else None)
    row = Lesion(clinic=patient.clinic, patient=patient, created_by=request.user)
    if is_sent and form.is_valid():
        for name in FIELDS:
            setattr(row, name, form.cleaned_data[name])
        row.save()
        messages.success(request, _("Saved."))
        return redirect("lesion", row.pk)
    context = {"form": form, "lesion": row, "is_new": True}
    return render(request, "lesions/form.html", context, status=422 if is_sent else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def lesion_edit(request: SignedInRequest, pk: int) -> HttpResponse:
    """Change a lesion; of what somebody else has changed meanwhile both versions are shown (409)."""
    row = _lesion(request, pk, EDIT)
    if request.method != "POST":
        return _edit_page(request, row, LesionForm(initial=records.values_of(row)))
    seen, form = Seen.of(request.POST), LesionForm(request.POST)
    if not form.is_valid() or seen.is_open:
        versions = changed_meanwhile.of_asked(Lesion, seen.asked, seen.values or {}, request.POST)
        return _edit_page(request, row, form, 422, seen=seen, versions=versions)
    sent = {name: form.cleaned_data[name] for name in FIELDS if seen.values is None or name in form.data}
    try:
        records.change(row, seen.chosen_of(sent, records.UNITS[Lesion]), request.user, seen=seen.values)
    except records.Conflict as conflict:
        versions = changed_meanwhile.of_clashes(Lesion, conflict.clashes)
        row = _lesion(request, pk, EDIT)
        return _edit_page(request, row, LesionForm(initial=conflict.merged), 409, versions=versions)
    messages.success(request, _("Saved."))
    return redirect("lesion", pk)


@require_safe
def lesion(request: SignedInRequest, pk: int) -> HttpResponse:
    """Photos side by side in the order they were taken, diagnoses with their history, pathology."""
    return lesion_page(request, _lesion(request, pk), None)


def lesion_page(
    request: SignedInRequest,
    row: Lesion,
    pathology: PathologyForm | None,
    *,
    clash: PathologyClash | None = None,
    size: PatientSizeForm | None = None,
    size_status: int = 422,
) -> HttpResponse:
    """Render the page; with a sent ``pathology`` form or ``size`` not taken, as 422, with a ``clash`` as 409."""
    member = member_of(request.user, row.clinic_id)
    photos = sorted(row.photos.all(), key=taken)
    diagnoses, hides_colleagues = _diagnoses(request, member, row)
    standing = [diagnosis for diagnosis in diagnoses if diagnosis.withdrawn_at is None]
    proof = next((diagnosis for diagnosis in standing if diagnosis.kind == Diagnosis.Kind.PATHOLOGY), None)
    answers = photo_answers.told(request.user, member, photos)
    carried = answers.get(row.answer_photo_id or 0)
    for photo in photos:
        photo.answer = answers.get(photo.pk)
    said, asked = comments.panel_of(row, member, request.user), opinions.panel_of(row, member, request.user)
    sizes = sizes_of(row, photos)
    context = {
        "lesion": row,
        "photos": photos,
        "compared": comparison(request.GET, photos),
        "proof": proof,
        "diagnoses": diagnoses,
        "hides_colleagues": hides_colleagues,
        "pathology": pathology or PathologyForm(initial=_as_filled_in(proof)),
        "pathology_open": pathology is not None,
        "pathology_clash": clash,
        "pathology_seen": proof.pk if proof else "",
        "can_edit": member.can_edit,
        "add_photo_url": _add_photo_url(row),
        "answer_is_hidden": bool(
            worklist.hidden_answers(request.user, member, [row.told_by_id] if row.told_by_id else [])
        ),
        "answer_is_unlike": bool(carried and carried.is_unlike),
        "filed": filed_just_now(request),
        "plan": plan_of(row, member),
        "visit": visit_of(request.user, member, row),
        "comments": said,
        "opinions": asked,
        "documents": documents.made_on(row),
        "sizes": size_rows(sizes, size),
        "size_form": size if size and not size["instead_of"].value() else PatientSizeForm(),
        "over_time": over_time(row, photos, sizes),
        "sizes_withdrawn": withdrawn_of(row, photos),
        "walk": walk_of(request, request.user, member, row),
    }
    status = 409 if clash else 422 if pathology else size_status if size else 200
    return render(request, "lesions/lesion.html", context, status=status)


def _add_photo_url(row: Lesion) -> str:
    """Where photos of the lesion are taken: on its patient's page, or into the lesion that is nobody's yet."""
    page = reverse("patient-photos", args=[row.patient_id]) if row.patient_id else reverse("upload")
    return f"{page}?lesion={row.pk}"


def _lesion(request: SignedInRequest, pk: int, need: str = "view") -> Lesion:
    return get_for(
        request.user,
        Lesion.objects.select_related("patient", "cover", "answer_photo", "created_by"),
        pk,
        need,
    )


def _edit_page(
    request: HttpRequest,
    row: Lesion,
    form: LesionForm,
    status: int = 200,
    *,
    seen: Seen | None = None,
    versions: Sequence[changed_meanwhile.Versions] = (),
) -> HttpResponse:
    shown = seen.values if seen and seen.values is not None else records.values_of(row)
    context = {
        "form": form,
        "lesion": row,
        "seen": json.dumps(shown),
        "versions": versions,
        "must_choose": bool(seen and seen.is_open),
    }
    return render(request, "lesions/form.html", context, status=status)


def _diagnoses(request: SignedInRequest, member: Member, row: Lesion) -> tuple[list[Diagnosis], bool]:
    """The diagnoses, and whether colleagues' impressions are kept back: where the own impression comes first, they are
    until this person has decided."""
    rows = list(row.diagnoses.select_related("created_by", "withdrawn_by"))
    kept = impressions.kept_back(request.user, [member])
    hidden = set(row.diagnoses.filter(kept).values_list("pk", flat=True))
    return [one for one in rows if one.pk not in hidden], bool(hidden)


def _as_filled_in(proof: Diagnosis | None) -> dict:
    if proof is None:
        return {}
    filled = {"confirmed_by": proof.confirmed_by, "diagnosed_on": proof.diagnosed_on, "text": proof.text}
    if proof.disease:
        return filled | {"diagnosis": proof.disease, "diagnosis_typed": disease_name(proof.disease)}
    if entry := listed.recorded(proof.icd10, proof.text):
        return filled | {
            "diagnosis": LISTED + entry.key,
            "diagnosis_typed": entry.name(get_language() or "en"),
            "text": proof.text.removeprefix(entry.key).removeprefix("; "),
        }
    if proof.icd10:
        return filled | {"diagnosis": f"icd10:{proof.icd10}", "diagnosis_typed": proof.icd10}
    words, _separator, text = proof.text.partition("; ")
    if len(words) > LONGEST_TYPED:
        words, text = proof.text[:LONGEST_TYPED], proof.text[LONGEST_TYPED:]
    return filled | {"diagnosis": AS_TYPED, "diagnosis_typed": words, "text": text}
