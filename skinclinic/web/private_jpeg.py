"""Sending a stored photo to somebody who may see it."""

import logging
from pathlib import PurePosixPath
from urllib.parse import quote, urlsplit

from django.conf import settings
from django.http import FileResponse, HttpResponse, HttpResponseBase
from django.utils.http import content_disposition_header

from skinclinic import imaging
from skinclinic.files import store
from skinclinic.web.photo_lost import PhotoLost

log = logging.getLogger(__name__)


def private_jpeg(key: str, name: str) -> HttpResponseBase:
    """Send a stored JPEG: by nginx where X_ACCEL_PREFIX or, for a bucket, X_ACCEL_BUCKET_PREFIX is set, else from here.
    The caller has checked that the reader may see it. Raises PhotoLost when the file is gone, store.StorageAway."""
    response: HttpResponseBase
    if address := _by_proxy(key):
        if not store.is_file(key):
            raise PhotoLost
        response = HttpResponse(content_type="image/jpeg")
        response["X-Accel-Redirect"] = address
    else:
        try:
            response = FileResponse(store.open_file(key), content_type="image/jpeg")
        except OSError as error:
            if not isinstance(error, FileNotFoundError):
                log.error("a stored photo cannot be sent: %s", error)
            raise PhotoLost from None
    file_name = f"{PurePosixPath(name).stem}.jpg"
    response["Content-Disposition"] = content_disposition_header(False, file_name) or "inline"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "no-store, private"
    return response


def _by_proxy(key: str) -> str:
    """Where the proxy gets it, an address that it takes from us alone; "" where it is sent from here."""
    if settings.PHOTO_KEY:
        return ""  # it could not open them
    bucket = store.bucket()
    if bucket and settings.X_ACCEL_BUCKET_PREFIX:
        signed = urlsplit(bucket.signed(key))
        return f"{settings.X_ACCEL_BUCKET_PREFIX.rstrip('/')}{signed.path}?{signed.query}"
    if settings.X_ACCEL_PREFIX and not bucket:
        return f"{settings.X_ACCEL_PREFIX.rstrip('/')}/{quote(key)}"
    return ""


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
