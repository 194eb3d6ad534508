"""Recording what the pathologist found, and taking a diagnosis back."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from skinclinic.forms.pathology import PathologyForm
from skinclinic.models import Diagnosis, Lesion
from skinclinic.permissions import EDIT, get_for
from skinclinic.services import diagnoses
from skinclinic.views.lesions import PathologyClash, lesion_page
from skinclinic.web.inputs import is_key
from skinclinic.web.requests import SignedInRequest


@require_POST
def lesion_pathology(request: SignedInRequest, pk: int) -> HttpResponse:
    """Record the pathology of lesion ``pk``; an earlier one stays in the history. One that the form did not show is
    not withdrawn: both are shown, and asked about (409)."""
    lesion = get_for(
        request.user,
        Lesion.objects.select_related("patient", "cover", "answer_photo", "created_by"),
        pk,
        EDIT,
    )
    form = PathologyForm(request.POST)
    if not form.is_valid():
        return lesion_page(request, lesion, form)
    fields = {"kind": Diagnosis.Kind.PATHOLOGY} | form.fields_of_diagnosis
    try:
        diagnoses.record(lesion=lesion, user=request.user, shown=_shown(request.POST), **fields)
    except diagnoses.NotShown as other:
        clash = PathologyClash(other.standing, Diagnosis(lesion=lesion, created_by=request.user, **fields))
        return lesion_page(request, lesion, form, clash=clash)
    messages.success(request, _("The pathology is recorded; the photos of this lesion are proven."))
    return redirect("lesion", pk)


def _shown(data: QueryDict) -> int | str | None:
    """The pathology that the form showed; from one that does not say, nobody else's."""
    seen = data.get("seen")
    if seen is None:
        return diagnoses.OWN
    return int(seen) if is_key(seen) else None


@require_POST
def diagnosis_withdraw(request: SignedInRequest, pk: int) -> HttpResponse:
    """Take a diagnosis back; it stays in the history. An impression can be taken back by its author only."""
    diagnosis = get_for(request.user, Diagnosis.objects.select_related("lesion"), pk, EDIT)
    if diagnosis.kind == Diagnosis.Kind.IMPRESSION and diagnosis.created_by_id != request.user.pk:
        raise PermissionDenied(_("Only the person who gave an impression can take it back."))
    diagnoses.withdraw(diagnosis, request.user)
    messages.success(request, _("The diagnosis is withdrawn. It stays in the history."))
    return redirect("lesion", diagnosis.lesion_id)
