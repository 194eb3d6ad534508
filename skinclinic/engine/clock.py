"""What time it is where rows are.

What one process writes and another compares with, such as the end of a lease or the age of what is swept, goes by the
database's clock: a machine whose own clock is wrong takes nothing from others and keeps nothing for hours. In a query
that is ``Now()``; ``now`` is for whoever needs the moment itself.

All else that asks the time, as ``timezone.now()`` and what Django stamps by it (sessions, tokens, when a photo came and
what was decided of it), is answered by this process's clock as long as that is right. With each new connection, which
no process keeps for longer than a minute, it is held against the database's; where it is wrong, or was put on or back
since, the time is counted from there (``moment``). That costs no query of a page.
"""

import functools
import logging
import math
import time
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from django.db import DEFAULT_DB_ALIAS, connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.utils import timezone
from django.utils.connection import ConnectionProxy

log = logging.getLogger(__name__)

# Seconds: what clocks that are kept in time may differ by, for long.
MAY_DIFFER = 5.0
# From here on the time is put right: less is what any two machines differ by, and an answer takes on its way.
_PUT_RIGHT = 1.0
_TOLD_EVERY_SECONDS = 3600.0
_own = timezone.now


class _Seen(NamedTuple):
    """How far this process's clock was ``ahead`` of the database's, and how far of the one that nobody puts on."""

    ahead: float
    of_steady: float


class _Known:
    seen: _Seen | None = None
    told_at = -math.inf


def now() -> datetime:
    """The moment, by the database's clock."""
    return _asked(connection)


def _asked(by: BaseDatabaseWrapper | ConnectionProxy) -> datetime:
    began = time.monotonic()
    with by.cursor() as cursor:
        # SQLite's clock is this machine's, so that there is nothing to learn.
        if by.vendor == "sqlite":
            cursor.execute("SELECT STRFTIME('%Y-%m-%d %H:%M:%f', 'NOW')")
            return datetime.fromisoformat(cursor.fetchone()[0]).replace(tzinfo=UTC)
        cursor.execute("SELECT CLOCK_TIMESTAMP()")
        found: datetime = cursor.fetchone()[0]
    learn(found, time.monotonic() - began)
    return found


def ahead() -> float:
    """Seconds that the clock of this machine is ahead of the database's; less than 0: behind."""
    return time.time() - now().timestamp()


def since(at: datetime | None) -> timedelta:
    """How long ago, by the database's clock, it stamped that; longer than anything (``timedelta.max``) for never, and
    for what is still to come, which was stamped before the clock was put back: what is done anew after a while would
    else wait until then."""
    if at is None or (found := now() - at) < timedelta():
        return timedelta.max
    return found


def known_ahead() -> float:
    """The same without asking, by what was seen last; 0 while nothing was, and for less than a second."""
    if (seen := _Known.seen) is None:
        return 0.0
    apart = seen.ahead + _of_steady() - seen.of_steady
    return apart if abs(apart) > _PUT_RIGHT else 0.0


def moment() -> datetime:
    """The moment by this process's clock, put right where that is known to be wrong."""
    apart = known_ahead()
    return datetime.fromtimestamp(time.time() - apart, UTC) if apart else _own()


def learn(there: datetime, took: float = 0.0) -> None:
    """The database has just said what time it is, within ``took`` seconds. A clock that is wrong is told of in the log,
    once an hour."""
    apart = time.time() - took / 2 - there.timestamp()
    _Known.seen = _Seen(0.0 if abs(apart) <= _PUT_RIGHT + took / 2 else apart, _of_steady())
    is_told = time.monotonic() - _Known.told_at < _TOLD_EVERY_SECONDS
    if abs(apart) > MAY_DIFFER + took and not is_told:
        _Known.told_at = time.monotonic()
        log.error("this machine's clock and the database's are %.0f s apart: synchronise both (NTP)", apart)


def forget() -> None:
    """Go by this process's clock, as one that has not asked yet."""
    _Known.seen, _Known.told_at = None, -math.inf


def keep() -> None:
    """From now on let ``timezone.now``, here and in Django, be ``moment``. Before any model is made: columns keep the
    function by which they are stamped."""
    # By its old name: migrations write down where it is found.
    timezone.now = functools.wraps(_own)(moment)
    connection_created.connect(_look, dispatch_uid="clock.look")


def _look(connection: BaseDatabaseWrapper, **_signal: Any) -> None:
    if connection.alias == DEFAULT_DB_ALIAS and connection.vendor != "sqlite":
        _asked(connection)


def _of_steady() -> float:
    return time.time() - time.monotonic()
