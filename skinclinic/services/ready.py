"""Whether this node of the web should be given requests now, and if not, why.

Apart from whether its process lives (``/healthz``), which costs nothing and says nothing of what it stands on: nobody
gains by starting a process again because its database is away.
"""

from collections.abc import Callable
from functools import cache

from django.conf import settings
from django.db import Error, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from skinclinic.celery import app
from skinclinic.engine import waking
from skinclinic.files import store
from skinclinic.services.erasing import again
from skinclinic.web import draining

Key = tuple[str, str]


def obstacles(without: frozenset[str] = frozenset()) -> dict[str, str]:
    """{part: why, in words for who runs the server}; {} when it is ready. ``without``: parts that do not count."""
    found = {}
    for part, look in _LOOKS.items():
        if part not in without and (reason := look()):
            found[part] = reason
            if part == "database":
                break  # what follows asks it
    return found


def database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        return True
    except Error:
        connection.close()
        return False


def broker_answers() -> bool:
    """Whether a wake-up would be taken; the embedded one is a folder. Mostly at most a quarter of a second."""
    if settings.CELERY_BROKER_URL.startswith("embedded"):
        return True
    try:
        waking.within(_reach_broker)
        return True
    except Exception:  # noqa: BLE001 - each broker has failures of its own
        return False


def _reach_broker() -> None:
    limits = settings.CELERY_BROKER_TRANSPORT_OPTIONS | waking.LIMITS
    with app.connection_for_write(connect_timeout=waking.SECONDS, transport_options=limits) as there:
        there.ensure_connection(max_retries=1, interval_start=0, interval_step=0, timeout=waking.SECONDS)


def migrations_waiting() -> list[Key]:
    """Those that this version brings and the database does not have. Raises the database's errors."""
    if _seen.done:
        return []
    applied = MigrationRecorder(connection).applied_migrations().keys()
    waiting = [key for key, stands_for in _brought() if key not in applied and not stands_for <= applied]
    # They do not go away while this process lives.
    _seen.done = not waiting
    return waiting


class _Seen:
    done = False


_seen = _Seen()


@cache
def _brought() -> list[tuple[Key, set[Key]]]:
    """Every migration on the disk, and those it stands for; one that stands for none is not applied by none."""
    disk = MigrationLoader(None, replace_migrations=False).disk_migrations
    return [(key, {(one[0], one[1]) for one in found.replaces} or {key}) for key, found in disk.items()]


def _draining() -> str:
    return "it was asked to stop" if draining.has_begun() else ""


def _database() -> str:
    return "" if database_answers() else "the database does not answer"


def _migrations() -> str:
    try:
        count = len(migrations_waiting())
    except Error:
        return "the database does not answer"
    return f"{count} migrations wait: manage.py migrate" if count else ""


def _erasures() -> str:
    return again.obstacle()


def _broker() -> str:
    return "" if broker_answers() else "the broker does not answer; uploads are taken, and analysed later"


def _disk() -> str:
    return "the disk of the photos is full; pages are shown, uploads are refused" if store.is_full() else ""


_LOOKS: dict[str, Callable[[], str]] = {
    "draining": _draining, "database": _database, "migrations": _migrations, "erasures": _erasures,
    "broker": _broker, "disk": _disk,
}  # fmt: skip
