"""A photo's files, sent only to members of its clinic, and deleting a photo."""

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from skinclinic.permissions import EDIT, get_photo_for
from skinclinic.presenters.answers import wants_page
from skinclinic.services import photos
from skinclinic.web.private_jpeg import private_jpeg, smaller_jpeg
from skinclinic.web.requests import SignedInRequest, json_error


@require_safe
def image(request: SignedInRequest, pk: int) -> HttpResponseBase:
    """The stored photo as JPEG; with ``?for=screen`` in about 1,600 pixels, which a phone has soon."""
    photo = get_photo_for(request.user, pk)
    if request.GET.get("for") == "screen":
        return smaller_jpeg(photo.file_key)
    return private_jpeg(photo.file_key, photo.original_name or f"photo-{photo.pk}")


@require_safe
def thumbnail(request: SignedInRequest, pk: int) -> HttpResponseBase:
    """A JPEG of at most 320 pixels."""
    photo = get_photo_for(request.user, pk)
    return private_jpeg(photo.thumbnail_key, f"photo-{photo.pk}-small")


@require_POST
def delete(request: SignedInRequest, pk: int) -> HttpResponse:
    """Delete a photo with its analyses; a browser goes on to ``next`` or back to the upload page."""
    photo = get_photo_for(request.user, pk, EDIT)
    try:
        photos.delete_photo(photo)
    except photos.StillNeeded as needed:
        if not wants_page(request):
            return json_error(409, "still_needed", str(needed))
        messages.error(request, str(needed))
    else:
        if not wants_page(request):
            return JsonResponse({"deleted": pk})
        messages.success(request, _("The photo was removed."))
    onward = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(onward, {request.get_host()}, require_https=request.is_secure()):
        return redirect(onward)
    return redirect("upload")
