"""Sending a stored photo to somebody who may see it."""

from pathlib import PurePosixPath
from urllib.parse import quote

from django.conf import settings
from django.http import FileResponse, HttpResponse, HttpResponseBase
from django.utils.http import content_disposition_header

from skinclinic import imaging
from skinclinic.files import store
from skinclinic.web.photo_lost import PhotoLost


def private_jpeg(key: str, name: str) -> HttpResponseBase:
    """Send a stored JPEG: by nginx where X_ACCEL_PREFIX is set, else from here. The caller has checked
    that the reader may see it. Raises PhotoLost when the file is gone."""
    path = store.path_of(key)
    if not path.is_file():
        raise PhotoLost
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


def smaller_jpeg(key: str) -> HttpResponse:
    """Send a stored JPEG in the size of a screen, made anew each time: nothing of it is kept that would have to be
    deleted with the photo. The caller has checked as for ``private_jpeg``; PhotoLost when the file is gone or
    damaged."""
    try:
        content = imaging.for_screen(store.read(key))
    except OSError:
        raise PhotoLost from None
    headers = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store, private"}
    return HttpResponse(content, content_type="image/jpeg", headers=headers)
