"""A photo's files, sent only to members of its clinic, and deleting a photo."""

from pathlib import PurePosixPath
from urllib.parse import quote

from django.conf import settings
from django.contrib import messages
from django.http import FileResponse, Http404, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect
from django.utils.http import content_disposition_header, url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from skinclinic.files import store
from skinclinic.permissions import EDIT, get_photo_for
from skinclinic.presenters.answers import wants_page
from skinclinic.services import photos
from skinclinic.web.requests import SignedInRequest, json_error


@require_safe
def image(request: SignedInRequest, pk: int) -> HttpResponseBase:
    """The stored photo as JPEG."""
    photo = get_photo_for(request.user, pk)
    return private_jpeg(photo.file_key, photo.original_name or f"photo-{photo.pk}")


@require_safe
def thumbnail(request: SignedInRequest, pk: int) -> HttpResponseBase:
    """A JPEG of at most 320 pixels."""
    photo = get_photo_for(request.user, pk)
    return private_jpeg(photo.thumbnail_key, f"photo-{photo.pk}-small")


def private_jpeg(key: str, name: str) -> HttpResponseBase:
    """Send a stored JPEG: by nginx where X_ACCEL_PREFIX is set, else from here. The caller has checked
    that the reader may see it. Raises Http404 when the file is gone."""
    path = store.path_of(key)
    if not path.is_file():
        raise Http404
    response: HttpResponseBase
    if settings.X_ACCEL_PREFIX:
        response = HttpResponse(content_type="image/jpeg")
        response["X-Accel-Redirect"] = f"{settings.X_ACCEL_PREFIX.rstrip('/')}/{quote(key)}"
    else:
        response = FileResponse(path.open("rb"), content_type="image/jpeg")
    file_name = f"{PurePosixPath(name).stem}.jpg"
    response["Content-Disposition"] = content_disposition_header(False, file_name) or "inline"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "no-store, private"
    return response


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
