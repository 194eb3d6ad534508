"""The squares of a photo that the model suggests, for the page on which one is chosen."""

from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from classifier.presenters.suggested_squares import in_json
from classifier.services.analysis import suggested_squares
from skinclinic.models import Photo
from skinclinic.permissions import EDIT, get_for
from skinclinic.presenters.answers import wants_page
from skinclinic.services.refused import Refused
from skinclinic.web.requests import SignedInRequest, json_error

PHOTOS = Photo.objects.select_related("lesion__patient", "clinic")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def suggested(request: SignedInRequest, pk: int) -> HttpResponse:
    """GET: how far the suggestions are, and the squares. POST: the model is asked for them. A form is led back to the
    page on which one is chosen."""
    photo = get_for(request.user, PHOTOS, pk, EDIT)
    if request.method != "POST":
        return redirect("photo-crop", pk) if wants_page(request) else _told(photo, 200)
    try:
        suggested_squares.ask(photo, request.user)
    except Refused as refused:
        if not wants_page(request):
            return json_error(409, "no_model", str(refused))
        messages.error(request, str(refused))
    if wants_page(request):
        return redirect("photo-square" if request.POST.get("is_further") else "photo-crop", pk)
    return _told(photo, 202)


def _told(photo: Photo, status: int) -> JsonResponse:
    return JsonResponse(in_json(suggested_squares.of(photo)), status=status)
