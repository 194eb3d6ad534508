"""Error pages that say what happened and what to do; none of them touches the database."""

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string


def _page(template: str, status: int, **context) -> HttpResponse:
    return HttpResponse(render_to_string(template, context), status=status)


def bad_request(request: HttpRequest, exception=None) -> HttpResponse:
    return _page("400.html", 400)


def forbidden(request: HttpRequest, exception=None) -> HttpResponse:
    return _page("403.html", 403, reason=str(exception or ""))


def not_found(request: HttpRequest, exception=None) -> HttpResponse:
    return _page("404.html", 404)


def server_error(request: HttpRequest) -> HttpResponse:
    """500, or 503 with Retry-After while the database is restarting."""
    if isinstance(sys.exc_info()[1], (OperationalError, InterfaceError)):
        response = _page("503.html", 503)
        response["Retry-After"] = "15"
        return response
    return _page("500.html", 500)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 for a form sent without its token: the page was open too long, or another site sent it."""
    return _page("403.html", 403, csrf=True)
