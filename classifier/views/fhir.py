"""A case as a file for the hospital's record system."""

import json

from django.http import HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from classifier.presenters.fhir import lesion, rows
from classifier.presenters.fhir.teller import Teller, base_of
from skinclinic.fhir import JSON
from skinclinic.permissions import get_for
from skinclinic.web.requests import SignedInRequest


@never_cache
@require_safe
def lesion_fhir(request: SignedInRequest, pk: int) -> HttpResponse:
    """Lesion ``pk`` as a FHIR Bundle that stands alone, with the photos in it and what this person may see of
    answers."""
    found = get_for(request.user, rows.lesions(), pk)
    bundle = lesion.as_bundle(found, Teller(request.user, base_of(request)), with_files=True)
    response = HttpResponse(json.dumps(bundle, ensure_ascii=False), content_type=JSON)
    response["Content-Disposition"] = f'attachment; filename="lesion-{found.pk}.fhir.json"'
    return response
