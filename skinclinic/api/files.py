"""Files by token: kept by programs, sent again only where they are others now."""

import hashlib
import json
from collections.abc import Callable

from django.http import HttpResponse, HttpResponseNotModified
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse

from skinclinic.api.base import ApiRequest
from skinclinic.api.errors import Refused
from skinclinic.files import store
from skinclinic.web.photo_lost import PhotoLost
from skinclinic.web.private_jpeg import private_jpeg
from skinclinic.web.unchanged import has_it, may_be_kept, not_modified

IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match", OpenApiTypes.STR, OpenApiParameter.HEADER,
    description="The `ETag` of what you have. Where it is still that: 304 without a body.",
)  # fmt: skip
NOT_MODIFIED = OpenApiResponse(description="You have it already.")
JPEG = {(200, "image/jpeg"): OpenApiTypes.BINARY, 304: NOT_MODIFIED}
PNG = {(200, "image/png"): OpenApiTypes.BINARY, 304: NOT_MODIFIED}
ZIP = {(200, "application/zip"): OpenApiTypes.BINARY, 304: NOT_MODIFIED}
DICOM = {(200, "application/dicom"): OpenApiTypes.BINARY, 304: NOT_MODIFIED}
PDF = {(200, "application/pdf"): OpenApiTypes.BINARY, 304: NOT_MODIFIED}


def tag_of(*said: object) -> str:
    """An ``ETag`` of what a file is made of."""
    text = json.dumps(said, sort_keys=True, default=str)
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'


def stored_jpeg(request: ApiRequest, key: str, name: str) -> HttpResponseBase:
    """A stored JPEG, which is never changed: another picture has another key. Raises Refused (409) when the file is
    gone."""
    tag = tag_of(key)
    if has_it(request, tag) and store.is_file(key):
        return _kept(request, HttpResponseNotModified(), tag, is_there=True)
    try:
        response = private_jpeg(key, name)
    except PhotoLost:
        raise unreadable() from None
    return _kept(request, response, tag)


def made(
    request: ApiRequest, tag: str, content_type: str, name: str, make: Callable[[], bytes]
) -> HttpResponseBase:
    """A file that is made when it is asked for, unless the caller has it. Raises Refused (409) where the photo it is
    made of cannot be read."""
    if has_it(request, tag):
        return _kept(request, HttpResponseNotModified(), tag, is_there=True)
    try:
        content = make()
    except OSError:
        raise unreadable() from None
    response = HttpResponse(content, content_type=content_type)
    response["Content-Disposition"] = content_disposition_header(False, name) or "inline"
    response["X-Content-Type-Options"] = "nosniff"
    return _kept(request, response, tag)


def unreadable() -> Refused:
    return Refused(409, "photo_unreadable", _("The stored photo cannot be read. Tell your administrator."))


def _kept(
    request: ApiRequest, response: HttpResponseBase, tag: str, *, is_there: bool = False
) -> HttpResponseBase:
    response["ETag"] = tag
    may_be_kept(request, response)
    return not_modified(response) if is_there else response
