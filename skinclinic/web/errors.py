"""Error pages that say what happened and what to do; none of them touches the database, but for that of somebody who
belongs to no clinic and has ways on and out.

Scripts and programs get the same as JSON: {"error": {"code", "message"}}.
"""

import logging
import sys

from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from skinclinic.models import Lesion, Patient, Photo
from skinclinic.permissions import NoClinic
from skinclinic.services.scanning import Infected
from skinclinic.web.come_back import ComeBack
from skinclinic.web.full_disks import is_disk_full
from skinclinic.web.photo_lost import CODE, PhotoLost
from skinclinic.web.requests import WORTH_ANOTHER_TRY, is_from_script, json_error

log = logging.getLogger(__name__)
# Deleted by somebody between the moment the request found it and the moment it wanted to change it.
DELETED = (Patient.DoesNotExist, Lesion.DoesNotExist, Photo.DoesNotExist)
READ_AWAY_BYTES = 64 * 1024 * 1024


def bad_request(request: HttpRequest, exception=None) -> HttpResponse:
    if isinstance(exception, RequestDataTooBig):
        return too_large(request)
    return _answer(request, 400, "bad_request", _("The request could not be read. Nothing was changed."))


def forbidden(request: HttpRequest, exception=None) -> HttpResponse:
    if isinstance(exception, NoClinic) and not is_from_script(request):
        return HttpResponse(render_to_string("registration/no_clinic.html", request=request), status=403)
    reason = str(exception or "")
    message = reason or _("Your role in this clinic does not allow this.")
    return _answer(request, 403, "forbidden", message, reason=reason)


def forbidden_unread(request: HttpRequest) -> HttpResponse:
    """403 for a large body whose sender may not send it; nothing of it is kept or looked at."""
    _read_away(request)
    return forbidden(request)


def not_found(request: HttpRequest, exception=None) -> HttpResponse:
    if isinstance(exception, PhotoLost):
        return _answer(request, 404, CODE, str(exception), lost=str(exception))
    return _answer(request, 404, "not_found", _("There is nothing here, or it belongs to another clinic."))


def too_large(request: HttpRequest, limit: int | None = None) -> HttpResponse:
    """413; ``limit`` in bytes, if one is known."""
    _read_away(request)
    megabytes = limit // (1024 * 1024) if limit else None
    message = (
        _("The file is too large: at most %(megabytes)d MB. Nothing was stored.") % {"megabytes": megabytes}
        if megabytes
        else _("What was sent is too large. Nothing was stored.")
    )
    return _answer(request, 413, "too_large", message, megabytes=megabytes)


def _read_away(request: HttpRequest) -> None:
    """Read a moderately large body without keeping it: a sender that is cut off in the middle of sending
    sees a broken connection, never the answer."""
    left = READ_AWAY_BYTES
    try:
        while left > 0 and (chunk := request.read(min(left, 1 << 16))):
            left -= len(chunk)
    except OSError:
        return  # the sender has gone


def come_back(request: HttpRequest, error: ComeBack) -> HttpResponse:
    """What is refused for now, and when it is worth another try."""
    if is_from_script(request):
        response: HttpResponse = json_error(error.status, error.code, str(error))
    else:
        context = {
            "status": error.status,
            "message": str(error),
            "wait": error.wait,
            "seconds": error.seconds,
        }
        # A page that stands alone needs nothing that the request has not come by yet.
        bare = error.template == ComeBack.template
        html = render_to_string(error.template, context, request=None if bare else request)
        response = HttpResponse(html, status=error.status)
    response["Retry-After"] = str(error.seconds)
    return response


def infected(request: HttpRequest, error: Infected) -> HttpResponse:
    """400 for a file in which the virus scanner found something, where no page says so at its field."""
    if is_from_script(request):
        return json_error(400, error.code, error.words)
    return HttpResponse(render_to_string("infected.html", {"message": error.words}), status=400)


def storage_full_words() -> str:
    return _("The server's disk is full. Nothing was stored. Tell your administrator.")


def server_error(request: HttpRequest) -> HttpResponse:
    """500; 503 while the database is restarting, and 507 where a disk is full, both with Retry-After."""
    error = sys.exc_info()[1]
    if is_disk_full(error):
        log.error("a disk is full", exc_info=error)
        return _for_now(_answer(request, 507, "storage_full", storage_full_words()))
    if isinstance(error, (OperationalError, InterfaceError)):
        message = _("The database does not answer. Try again in a minute.")
        return _for_now(_answer(request, 503, "unavailable", message))
    number = getattr(request, "id", "")
    message = _(
        "Something broke on our side. Try again; if it stays, tell whoever runs this server: %(number)s."
    )
    return _answer(request, 500, "server_error", message % {"number": number}, number=number)


def _for_now(response: HttpResponse) -> HttpResponse:
    response["Retry-After"] = str(WORTH_ANOTHER_TRY[response.status_code])
    return response


@login_not_required
def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 for a form sent without its token: the page was open too long, or another site sent it."""
    message = _("The page was open too long. Reload it and try again.")
    return _answer(request, 403, "csrf_failed", message, csrf=True)


def _answer(request: HttpRequest, status: int, code: str, message: str, **context) -> HttpResponse:
    if is_from_script(request):
        number = context.get("number")
        return json_error(status, code, message, **({"request": number} if number else {}))
    return HttpResponse(render_to_string(f"{status}.html", context), status=status)
