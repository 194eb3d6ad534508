"""Recording what the pathologist found, and taking a diagnosis back."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from skinclinic.forms.pathology import PathologyForm
from skinclinic.models import Diagnosis, Lesion
from skinclinic.permissions import EDIT, get_for
from skinclinic.services import diagnoses
from skinclinic.views.lesions import lesion_page
from skinclinic.web.requests import SignedInRequest


@require_POST
def lesion_pathology(request: SignedInRequest, pk: int) -> HttpResponse:
    """Record the pathology of lesion ``pk``; an earlier one stays in the history."""
    lesion = get_for(
        request.user,
        Lesion.objects.select_related("patient", "cover", "answer_photo", "created_by"),
        pk,
        EDIT,
    )
    form = PathologyForm(request.POST)
    if not form.is_valid():
        return lesion_page(request, lesion, form)
    diagnoses.record(
        lesion=lesion, user=request.user, kind=Diagnosis.Kind.PATHOLOGY, **form.fields_of_diagnosis
    )
    messages.success(request, _("The pathology is recorded; the photos of this lesion are proven."))
    return redirect("lesion", pk)


@require_POST
def diagnosis_withdraw(request: SignedInRequest, pk: int) -> HttpResponse:
    """Take a diagnosis back; it stays in the history. An impression can be taken back by its author only."""
    diagnosis = get_for(request.user, Diagnosis.objects.select_related("lesion"), pk, EDIT)
    if diagnosis.kind == Diagnosis.Kind.IMPRESSION and diagnosis.created_by_id != request.user.pk:
        raise PermissionDenied(_("Only the person who gave an impression can take it back."))
    diagnoses.withdraw(diagnosis, request.user)
    messages.success(request, _("The diagnosis is withdrawn. It stays in the history."))
    return redirect("lesion", diagnosis.lesion_id)
