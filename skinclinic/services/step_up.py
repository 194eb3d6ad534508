"""What must not be done by whoever finds a browser open: it needs a password or second factor of the last minutes."""

from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.http import HttpRequest
from django.utils import timezone

from skinclinic.models import User
from skinclinic.services import second_factor
from skinclinic.services.signing_in import is_own_password
from skinclinic.web.confirming import PASSKEY, PASSWORD, SECOND, ConfirmFirst
from skinclinic.web.requests import is_from_script
from skinclinic.web.sessions import SIGNED_IN
from skinclinic.web.waiting import MustWait

CONFIRMED = "confirmed_at"
# Downloads that were let through, which browsers go on with when they were cut off.
BEGUN = "downloads_begun"
MOST_BEGUN = 20


def require(request) -> None:
    """Let pass who has signed in or confirmed lately, or does so with this request. Raises ConfirmFirst.

    Call it once the rights are checked and before anything is changed. Programs with a token may what its scope says.
    """
    by_session = getattr(request, "auth", None) is None and SESSION_KEY in request.session
    if not by_session or is_fresh(request):
        return
    is_right = is_right_answer(request)
    if not is_right:
        raise ConfirmFirst(is_wrong=is_right is False, by_code=has_code(request))
    mark_fresh(request)


def require_for_download(request: HttpRequest) -> None:
    """As ``require``; going on with a download that was let through needs no more."""
    begun = request.session.get(BEGUN, [])
    address = request.get_full_path()
    if "Range" in request.headers and address in begun:
        return
    try:
        require(request)
    except ConfirmFirst as first:
        first.is_file = True
        raise
    if address not in begun:
        request.session[BEGUN] = [*begun, address][-MOST_BEGUN:]


def is_fresh(request: HttpRequest) -> bool:
    """Whether who is signed in has said so within the last STEP_UP_SECONDS."""
    said = [request.session.get(CONFIRMED), request.session.get(SIGNED_IN, {}).get("at")]
    last = max((datetime.fromisoformat(at) for at in said if at), default=None)
    return last is not None and timezone.now() - last < timedelta(seconds=settings.STEP_UP_SECONDS)


def mark_fresh(request: HttpRequest) -> None:
    request.session[CONFIRMED] = timezone.now().isoformat()


def is_right_answer(request: HttpRequest) -> bool | None:
    """Whether the request carries the right password; None if it carries none. Raises ConfirmFirst where another may
    be tried only later: the page that asks says so and keeps what was typed. Scripts are told as at sign-in."""
    answered = _answer_to(request)
    try:
        return answered(request) if answered else None
    except MustWait as wait:
        if is_from_script(request):
            raise
        raise ConfirmFirst(by_code=has_code(request), wait=wait) from None


def has_code(request) -> bool:
    """Whether who is signed in may confirm by a code."""
    return second_factor.has_code(request.user)


def _answer_to(request):
    if request.POST.get(PASSWORD):
        return _has_password
    if request.POST.get(PASSKEY):
        return _has_passkey
    return _has_code if request.POST.get(SECOND) else None


def _has_password(request) -> bool:
    user = request.user
    return isinstance(user, User) and is_own_password(request, user, request.POST[PASSWORD][:256])


def _has_code(request) -> bool:
    return second_factor.is_right_code(request, request.user, request.POST[SECOND][:20])


def _has_passkey(request) -> bool:
    return second_factor.is_right_passkey(request, request.user, request.POST[PASSKEY][:10_000])
