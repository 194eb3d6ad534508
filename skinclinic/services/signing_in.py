"""Looking at passwords: every one that is tried counts, and only a few are looked at in a process at once, since each
costs half a second of a processor that photos and other people wait for."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib.auth import authenticate
from django.contrib.auth.backends import ModelBackend
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest

from skinclinic.kept_queries import kept
from skinclinic.models import User
from skinclinic.services import sign_in_limits
from skinclinic.web.requests import client_address
from skinclinic.web.waiting import Busy


class Room:
    """At most ``inside`` at once and ``waiting`` before the door; everybody else is sent away."""

    def __init__(self, inside: int, waiting: int, patience: float):
        self._places = threading.BoundedSemaphore(inside + waiting)
        self._door = threading.BoundedSemaphore(inside)
        self._patience = patience

    @contextmanager
    def entered(self) -> Iterator[None]:
        if not self._places.acquire(blocking=False):
            raise Busy(self._patience)
        try:
            if not self._door.acquire(timeout=self._patience):
                raise Busy(self._patience)
            try:
                yield
            finally:
                self._door.release()
        finally:
            self._places.release()


# Of the four threads that a web process has in production two always stay free.
room = Room(inside=1, waiting=1, patience=3)


class LimitedBackend(ModelBackend):
    """Django's, for a limited number of tries. Whatever asks for a password asks it, on pages and in the API."""

    def authenticate(self, request, username=None, password=None, **kwargs):
        if username is None or password is None:
            return None
        address = client_address(request) if request else ""
        # Whoever must wait anyway takes nobody's place.
        sign_in_limits.check(username, address)
        with room.entered():
            tried = sign_in_limits.take(username, address)
            user = super().authenticate(request, username=username, password=password, **kwargs)
        if user is None:
            # No other backend looks at it again.
            raise PermissionDenied
        sign_in_limits.succeeded(tried)
        return user

    def get_user(self, user_id):
        """Whose session it is; None where the account is gone or may not be used."""
        user = next(iter(_with_key(user_id)), None)
        return user if user is not None and self.user_can_authenticate(user) else None


@kept
def _with_key(user: int) -> QuerySet[User]:
    return User.objects.filter(pk=user)


def is_own_password(request: HttpRequest, user: User, password: str) -> bool:
    """Whether this is the password of who is signed in; a wrong one counts like one at sign-in."""
    return authenticate(request, username=user.get_username(), password=password) == user
