"""What is swept away every few seconds. Apps register their own broom."""

import logging
import math
import time
from collections.abc import Callable
from datetime import timedelta
from functools import wraps

from django.db import connection
from django.db.models.functions import Now

from skinclinic.engine import clock
from skinclinic.models import WorkerSeen
from skinclinic.web.sessions import SessionStore

log = logging.getLogger(__name__)

_brooms: list[Callable[[], None]] = []


def broom(function: Callable[[], None]) -> Callable[[], None]:
    """Register a function that removes what has expired."""
    _brooms.append(function)
    return function


def now_and_then(seconds: float) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """Register a function that looks for what is due, in one process no more often than after so many ``seconds``."""

    def register(function: Callable[[], None]) -> Callable[[], None]:
        begun_at = -math.inf

        @broom
        @wraps(function)
        def look() -> None:
            nonlocal begun_at
            if time.monotonic() - begun_at >= seconds:
                begun_at = time.monotonic()
                function()

        return function

    return register


def sweep() -> None:
    """Remove everything that has expired. What one broom cannot do is no reason for the others to rest."""
    for function in _brooms:
        try:
            function()
        except Exception:
            log.exception("sweeping failed in %s; the others go on", function.__qualname__)
            connection.close_if_unusable_or_obsolete()


@broom
def forget_old_workers() -> None:
    WorkerSeen.objects.filter(seen_at__lt=Now() - timedelta(days=1)).delete()


@broom
def forget_ended_sessions() -> None:
    SessionStore.clear_expired()


@broom
def tell_of_a_wrong_clock() -> None:
    """Hold this process's clock against the database's, which is told in the log; nothing here goes by it."""
    clock.now()
