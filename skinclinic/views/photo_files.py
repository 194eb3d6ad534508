"""A photo's files, sent only to members of its clinic."""

from django.http import Http404, HttpResponse, HttpResponseBase
from django.views.decorators.http import require_safe

from skinclinic.permissions import get_photo_for
from skinclinic.services import dicom_photos
from skinclinic.web.private_jpeg import private_jpeg, smaller_jpeg
from skinclinic.web.requests import SignedInRequest


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


@require_safe
def dicom(request: SignedInRequest, pk: int) -> HttpResponse:
    """The photo as a DICOM object, to keep or to bring to an image archive."""
    try:
        made = dicom_photos.made_of(get_photo_for(request.user, pk))
    except OSError:
        raise Http404 from None
    headers = {
        "Content-Disposition": f'attachment; filename="{made.name}"',
        "X-Content-Type-Options": "nosniff",
    }
    return HttpResponse(
        made.encoded(),
        content_type="application/dicom",
        headers=headers | {"Cache-Control": "no-store, private"},
    )
