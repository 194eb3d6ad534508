"""What is swept away every few seconds. Apps register their own broom."""

from collections.abc import Callable
from datetime import timedelta

from django.utils import timezone

from skinclinic.models import WorkerSeen

_brooms: list[Callable[[], None]] = []


def broom(function: Callable[[], None]) -> Callable[[], None]:
    """Register a function that removes what has expired."""
    _brooms.append(function)
    return function


def sweep() -> None:
    """Remove everything that has expired."""
    for function in _brooms:
        function()


@broom
def forget_old_workers() -> None:
    WorkerSeen.objects.filter(seen_at__lt=timezone.now() - timedelta(days=1)).delete()
