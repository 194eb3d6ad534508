"""What is swept away every few seconds. Apps register their own broom."""

import logging
from collections.abc import Callable
from datetime import timedelta

from django.db import connection
from django.db.models.functions import Now

from skinclinic.models import WorkerSeen
from skinclinic.web.sessions import SessionStore

log = logging.getLogger(__name__)

_brooms: list[Callable[[], None]] = []


def broom(function: Callable[[], None]) -> Callable[[], None]:
    """Register a function that removes what has expired."""
    _brooms.append(function)
    return function


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
