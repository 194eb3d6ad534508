"""Sessions of browsers: whose each is, when it ends, and what counts as using it.

A signed-in session ends SESSION_COOKIE_AGE after signing in (OIDC_SESSION_MINUTES where that was at the hospital's
provider), whatever is done in it, and after SESSION_IDLE_SECONDS in which nobody did anything. A page's own questions
do not count: it says with each (``X-Idle``) for how many seconds nobody has touched it. The clock is the server's.
"""

from datetime import datetime, timedelta
from typing import Any, cast

from django.conf import settings
from django.contrib.auth import SESSION_KEY as USER
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.http import HttpRequest
from django.utils import timezone

from skinclinic.kept_queries import kept
from skinclinic.web.requests import client_address, is_from_script

# What a session keeps of the moment somebody signed in.
SIGNED_IN = "signed_in"
# Signed in at the hospital's own provider, which asks for whatever second factor the hospital wants.
BY_PROVIDER = "by_provider"
# Being used is written down at most so often.
TOUCH_AFTER = timedelta(seconds=30)
READING = ("GET", "HEAD", "OPTIONS")


def idle_limit() -> timedelta:
    return timedelta(seconds=settings.SESSION_IDLE_SECONDS)


class SessionStore(DatabaseStore):
    """Django's, with columns for whose a session is, where and since when."""

    used_at: datetime | None = None

    @classmethod
    def get_model_class(cls):
        from skinclinic.models import Session

        return Session

    @classmethod
    def clear_expired(cls) -> None:
        # By the database's clock: whichever process sweeps, a wrong clock of its own signs nobody out.
        rows = cls.get_model_class().objects
        rows.filter(expire_date__lt=Now()).delete()
        rows.filter(user__isnull=False, used_at__lte=Now() - idle_limit()).delete()

    def _get_session_from_db(self):
        row, now = next(iter(_with_key(self.session_key or "")), None), timezone.now()
        if row is None or row.expire_date <= now or _is_forgotten(row, now):
            self._session_key = None
            return None
        self.used_at = row.used_at
        return row

    def create_model_instance(self, data: dict[str, Any]):
        row: Any = super().create_model_instance(data)
        begun = data.get(SIGNED_IN, {})
        row.user_id = data.get(USER)
        row.device = begun.get("device", "")
        row.address = begun.get("address") or None
        row.started_at = datetime.fromisoformat(begun["at"]) if begun else timezone.now()
        self.used_at = row.used_at = self.used_at or timezone.now()
        return row


@kept
def _with_key(key: str) -> QuerySet[Any]:
    return SessionStore.get_model_class().objects.filter(session_key=key)


def _is_forgotten(row: Any, now: datetime) -> bool:
    """Whether who is signed in has done nothing for too long."""
    return row.user_id is not None and row.used_at <= now - idle_limit()


def begin(sender, request: HttpRequest, **kwargs) -> None:
    """Somebody has signed in: from now on the session has an end that nothing moves."""
    now = timezone.now()
    device = request.META.get("HTTP_USER_AGENT", "")
    request.session[SIGNED_IN] = {
        "at": now.isoformat(),
        "device": "".join(filter(str.isprintable, device))[:300],
        "address": client_address(request),
    }
    # Said anew where it is so (``by_provider``).
    request.session.pop(BY_PROVIDER, None)
    request.session.set_expiry(now + timedelta(seconds=settings.SESSION_COOKIE_AGE))
    cast(SessionStore, request.session).used_at = now


def begun_at_provider(sender, request: HttpRequest, **kwargs) -> None:
    """Somebody has signed in elsewhere, if they have: before long they go there again, and may be blocked by then."""
    if "sociallogin" in kwargs:
        request.session[BY_PROVIDER] = True
        most = min(settings.SESSION_COOKIE_AGE, settings.OIDC_SESSION_MINUTES * 60)
        request.session.set_expiry(timezone.now() + timedelta(seconds=most))


class SessionUseMiddleware:
    """Writes down when a person last used the session."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        used_at = getattr(request.session, "used_at", None) if USER in request.session else None
        acted_at = _acted_at(request)
        if used_at and acted_at and acted_at - used_at > TOUCH_AFTER:
            request.session.model.objects.filter(pk=request.session.session_key).update(used_at=acted_at)
            request.session.used_at = acted_at
        return self.get_response(request)


def _acted_at(request: HttpRequest) -> datetime | None:
    """When a person last did something, as far as this request tells."""
    now = timezone.now()
    if not is_from_script(request):
        return now
    idle = request.headers.get("X-Idle", "")
    if idle.isascii() and idle.isdigit():
        return now - timedelta(seconds=min(int(idle[:6]), 999_999))
    return None if request.method in READING else now
