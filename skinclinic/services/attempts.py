"""How often one may try what costs the server something. Counted before it is looked at, also where it is refused."""

from datetime import datetime, timedelta

from django.db.models import F
from django.db.models.functions import Now
from django.utils.crypto import salted_hmac

from skinclinic.engine import clock
from skinclinic.engine.housekeeping import broom
from skinclinic.models import Attempt
from skinclinic.web.come_back import TooOften

HOUR = timedelta(hours=1)


def count(kind: str, limits: dict[str, int]) -> None:
    """Count an attempt of everybody in ``limits`` (who: how many an hour). Raises TooOften where one has had as many;
    attempts beyond are no longer counted."""
    now = clock.now()
    hour = now.replace(minute=0, second=0, microsecond=0)
    for who, most in limits.items():
        if not _counted(kind, _hashed(who), hour, most):
            raise TooOften(int((hour + HOUR - now).total_seconds()) + 1)


def _counted(kind: str, who: str, hour: datetime, most: int) -> bool:
    found, _is_new = Attempt.objects.get_or_create(kind=kind, who=who, hour=hour)
    if found.count >= most:
        return False  # without a word to the database, which those who go on would keep from others
    row = Attempt.objects.filter(kind=kind, who=who, hour=hour)
    # Not there any more: it was swept as old meanwhile, by a clock that was put on. Nobody waits an hour for that.
    return bool(row.filter(count__lt=most).update(count=F("count") + 1)) or not row.exists()


def _hashed(who: str) -> str:
    return salted_hmac("skinclinic.attempts", who, algorithm="sha256").hexdigest()


@broom
def forget_old_attempts() -> None:
    Attempt.objects.filter(hour__lt=Now() - 2 * HOUR).delete()
