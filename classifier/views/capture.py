"""Photos of a patient, one place after another: the patient first, then the body, then the camera."""

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from classifier.services.models import registry
from skinclinic.forms.capture import CaptureForm
from skinclinic.models import Patient, Photo
from skinclinic.permissions import EDIT, get_for
from skinclinic.services.patients import lesions_of
from skinclinic.web.requests import SignedInRequest


@never_cache
@require_safe
def patient_photos(request: SignedInRequest, pk: int) -> HttpResponse:
    """The page; ``?lesion=ID``, or ``?place_key=`` with ``site``, ``site_x`` and ``site_y``, is where it
    begins."""
    patient = get_for(request.user, Patient, pk, EDIT)
    lesions = list(lesions_of(patient))
    asked = CaptureForm(request.GET)
    begin = (
        {name: value for name, value in asked.cleaned_data.items() if value is not None}
        if asked.is_valid()
        else {}
    )
    if begin.get("lesion") not in [lesion.pk for lesion in lesions]:
        begin.pop("lesion", None)
    context = {
        "patient": patient,
        "lesions": lesions,
        "form": CaptureForm(initial=begin, auto_id="capture_%s"),
        "begin": begin,
        "clinic": patient.clinic,
        "kinds": Photo.Kind.choices,
        "has_model": registry.published(patient.clinic) is not None,
        "shows_unsent": True,
        "max_bytes": settings.UPLOAD_MAX_BYTES,
    }
    return render(request, "upload/capture.html", context)
