"""Asking who is signed in to say so again, in place: the form that was sent is sent again with the answer."""

from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from skinclinic.services import second_factor
from skinclinic.web.come_back import ComeBack
from skinclinic.web.requests import is_from_script, json_error

CODE = "confirm_needed"
# The fields in which the answer comes.
PASSWORD, SECOND, PASSKEY = "confirm_password", "confirm_code", "confirm_passkey"
# Where whoever thinks better of it goes.
BACK = "confirm_back"
# What waits for the answer is a file: the page stays where it is while that comes.
IS_FILE = "confirm_file"
NOT_KEPT = {PASSWORD, SECOND, PASSKEY, BACK, "csrfmiddlewaretoken"}


class ConfirmFirst(Exception):
    """What is asked for needs a password or a second factor of the last minutes; ``is_wrong``: there was one.
    ``by_code``: a code of an app or of the recovery codes will do as well. ``wait``: too many were wrong, and another
    may be tried only later; what was typed is kept until then. ``is_file``: what was asked for is one."""

    def __init__(self, *, is_wrong: bool = False, by_code: bool = False, wait: ComeBack | None = None):
        self.is_wrong, self.by_code, self.wait = is_wrong, by_code, wait
        self.is_file = False
        super().__init__()

    @property
    def message(self) -> str:
        return _("Confirm first that it is you: it is some time since you signed in.")


class ConfirmFirstMiddleware:
    """Answers with the page that asks; a script gets 403 and asks in place."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        return answer(request, exception) if isinstance(exception, ConfirmFirst) else None


def answer(request: HttpRequest, asked: ConfirmFirst) -> HttpResponse:
    """What is answered instead of what was asked for."""
    if is_from_script(request):
        return json_error(403, CODE, asked.message)
    return confirm_page(
        request, is_wrong=asked.is_wrong, by_code=asked.by_code, wait=asked.wait, is_file=asked.is_file
    )


def confirm_page(
    request: HttpRequest, *, is_wrong: bool = False, wait: ComeBack | None = None, **context
) -> HttpResponse:
    """What was typed goes along unseen; a page that was asked for is asked for again. Who has a passkey may use it."""
    kept = [
        (name, value) for name, values in request.POST.lists() if name not in NOT_KEPT for value in values
    ]
    context |= {
        "kept": kept,
        "is_wrong": is_wrong or wait is not None,
        "wait": wait,
        "is_page": request.method in ("GET", "HEAD"),
        "back": back_of(request),
        "passkey_options": second_factor.passkey_options(request),
    }
    response = render(request, "registration/confirm.html", context, status=wait.status if wait else 403)
    if wait:
        response["Retry-After"] = str(wait.seconds)
    return response


def back_of(request: HttpRequest) -> str:
    """The page from which it was asked for."""
    said = request.POST.get(BACK) or request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(said, {request.get_host()}, require_https=request.is_secure()):
        return "/"
    parts = urlsplit(said)
    return parts._replace(scheme="", netloc="").geturl() or "/"
