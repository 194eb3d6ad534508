"""How one photo of a lesion lies over another."""

from django.http import HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from skinclinic.models import Lesion, Photo
from skinclinic.permissions import get_for
from skinclinic.presenters.alignment import alignment_json
from skinclinic.services import alignments
from skinclinic.web.inputs import is_key
from skinclinic.web.requests import SignedInRequest, json_error


@require_safe
def lesion_alignment(request: SignedInRequest, pk: int) -> HttpResponse:
    """``?a=1&b=2``: the matrix that brings photo b onto photo a, or null, and both in words."""
    lesion = get_for(request.user, Lesion, pk)
    keys = [request.GET.get(name, "") for name in ("a", "b")]
    photos = Photo.objects.filter(lesion=lesion).in_bulk([int(key) for key in keys if is_key(key)])
    found = [photos.get(int(key)) if is_key(key) else None for key in keys]
    first, second = found
    if first is None or second is None or first == second:
        return json_error(400, "invalid", _("Choose two photos of this lesion."))
    answer = JsonResponse(alignment_json(alignments.between(first, second)))
    answer["Cache-Control"] = "no-store, private"
    return answer
