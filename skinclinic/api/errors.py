"""Every error of the API has one shape: {"error": {"code", "message", "fields"?}}."""

import logging
import math

from django.core.exceptions import PermissionDenied as DjangoPermissionDenied
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import InterfaceError, OperationalError
from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework import exceptions, status
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response
from rest_framework.views import set_rollback

from skinclinic.services.refused import Refused as ServiceRefused
from skinclinic.services.scanning import Infected
from skinclinic.web.come_back import ComeBack
from skinclinic.web.confirming import CODE, ConfirmFirst
from skinclinic.web.errors import DELETED, storage_full_words
from skinclinic.web.full_disks import is_disk_full
from skinclinic.web.requests import WORTH_ANOTHER_TRY

log = logging.getLogger(__name__)


class Refused(exceptions.APIException):
    """A request that cannot be fulfilled, with the status, a stable code and the reason; ``more``: what else the error
    tells; ``etag``: of the row as it stands; ``wait``: seconds until it is worth another try."""

    def __init__(
        self,
        status_code: int,
        code: str,
        message: str,
        *,
        more: dict | None = None,
        etag: str = "",
        wait: int = 0,
    ):
        super().__init__(message, code)
        self.status_code = status_code
        self.more = more or {}
        self.etag = etag
        self.wait = wait


def handle(error: Exception, context: dict) -> Response | None:
    """Turn an exception of a view into a response; None for what is a fault of ours (a 500)."""
    error = _told(error)
    if not isinstance(error, exceptions.APIException):
        return None
    set_rollback()
    if request := context.get("request"):
        # Also where the answer would have been another kind of file.
        request.accepted_renderer, request.accepted_media_type = JSONRenderer(), JSONRenderer.media_type
    return Response({"error": _body(error)}, status=error.status_code, headers=_headers(error))


def _headers(error: exceptions.APIException) -> dict[str, str]:
    headers = {}
    if header := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = header
    if wait := getattr(error, "wait", None) or WORTH_ANOTHER_TRY.get(error.status_code):
        headers["Retry-After"] = str(math.ceil(wait))
    if etag := getattr(error, "etag", ""):
        headers["ETag"] = etag
    return headers


def _told(error: Exception) -> Exception:
    """What a program is told of an exception; the exception itself where that is our own fault."""
    if isinstance(error, (Http404, *DELETED)):
        return exceptions.NotFound()
    if isinstance(error, DjangoPermissionDenied):
        return exceptions.PermissionDenied(str(error) or None)
    if isinstance(error, DjangoValidationError):
        return exceptions.ValidationError(error.messages)
    if isinstance(error, Infected):
        return Refused(400, error.code, error.words)
    if isinstance(error, ServiceRefused | ComeBack):
        return _refused(error)
    if is_disk_full(error):
        log.error("a disk is full", exc_info=error)
        return Refused(507, "storage_full", storage_full_words())
    if isinstance(error, (OperationalError, InterfaceError)):
        log.error("database unavailable", exc_info=error)
        return Refused(
            503, "database_unavailable", _("The database is not available. Try again in a moment.")
        )
    if isinstance(error, ConfirmFirst):
        return Refused(403, CODE, error.message)
    return error


def _refused(error: ServiceRefused | ComeBack) -> Refused:
    if isinstance(error, ComeBack):
        return Refused(error.status, error.code, str(error), wait=error.seconds)
    return Refused(409, error.field or "refused", str(error))


def _body(error: exceptions.APIException) -> dict:
    if error.status_code == status.HTTP_400_BAD_REQUEST and isinstance(error.detail, dict | list):
        fields = error.detail if isinstance(error.detail, dict) else {"": error.detail}
        message = _("Some fields are not right. Nothing was changed.")
        return {"code": "invalid", "message": message, "fields": fields}
    return {"code": error.get_codes(), "message": str(error.detail), **getattr(error, "more", {})}
