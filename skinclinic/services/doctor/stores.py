"""Database, broker, workers and backups."""

import time
from collections.abc import Iterator
from datetime import timedelta

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models.functions import Now
from django.utils import timezone
from kombu.connection import Connection
from kombu.exceptions import OperationalError

from skinclinic.celery import app
from skinclinic.engine import clock, health, jobs
from skinclinic.models import Job
from skinclinic.models.audit import AuditEvent
from skinclinic.services import word_indexes
from skinclinic.services.doctor.findings import Finding, check, failure, ok, warn
from skinclinic.services.erasing import again

_OLDEST_POSTGRESQL = 140_000
_WAITS_LONG = timedelta(minutes=15)
_BACKUP_EVERY = timedelta(hours=50)
_SECONDS = 3.0
_TROUBLES = {
    health.NO_MEMORY: "Give it more memory, or let less run beside it; then start it again.",
    health.NO_PHOTOS: "Mount the volume of SKINCLINIC_HOME on its machine; then start it again.",
    health.STORAGE_AWAY: "Look whether its machine reaches the bucket (PHOTO_STORAGE); it goes on by itself.",
    health.DISK_FULL: "Make room on the disk of its machine (SKINCLINIC_HOME, cache, /tmp); it goes on by itself.",
    health.DISK: "Look at the disk of its machine, at who owns the files and, where photos are sealed, whether it has "
    "PHOTO_KEY; it goes on by itself.",
}


@check("database")
def database() -> Iterator[Finding]:
    try:
        connection.ensure_connection()
    except (OSError, Error, ImproperlyConfigured) as error:
        yield failure(
            "database", f"it does not answer: {str(error).strip()}",
            "Look whether it runs and whether DATABASE_URL (host, name, password) is right.",
        )  # fmt: skip
        return
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT sqlite_version()")
            yield ok("database", f"SQLite {cursor.fetchone()[0]}")
        else:
            cursor.execute("SELECT current_setting('server_version_num')::int")
            yield from _server(cursor.fetchone()[0])
    executor = MigrationExecutor(connection)
    known = set(executor.loader.disk_migrations)
    if plan := executor.migration_plan(executor.loader.graph.leaf_nodes()):
        yield failure(
            "database", f"{len(plan)} migrations are not applied",
            "`manage.py migrate` (with compose: `up -d`).",
        )  # fmt: skip
        return
    labels = {label for label, _name in known}
    # Names that migrations of today stand for.
    replaced = {key for one in executor.loader.disk_migrations.values() for key in map(tuple, one.replaces)}
    if newer := {key for key in executor.loader.applied_migrations if key[0] in labels} - known - replaced:
        yield failure(
            "database", f"the tables are those of a newer version ({'.'.join(max(newer))})",
            "Install that version; an older one does not go back.",
        )  # fmt: skip
    if reason := again.obstacle():
        yield failure("database", reason, "`manage.py apply_erasures`")


def _server(number: int) -> Iterator[Finding]:
    said = f"PostgreSQL {number // 10_000}.{number % 10_000}"
    if number < _OLDEST_POSTGRESQL:
        yield failure("database", f"{said} is too old", "PostgreSQL 14 or later is needed.")
    else:
        yield ok("database", said)
    yield from _clock("this machine", clock.ahead(), clock.MAY_DIFFER)


def _clock(whose: str, ahead: float, most: float) -> Iterator[Finding]:
    if abs(ahead) > most:
        is_said = "ahead of" if ahead > 0 else "behind"
        yield failure(
            "clock", f"the clock of {whose} is {abs(ahead):,.0f} s {is_said} the database's",
            "Synchronise both (NTP): second factors, links and the audit go by them.",
        )  # fmt: skip


@check("search")
def search() -> Iterator[Finding]:
    if connection.vendor != "postgresql":
        return
    if not word_indexes.has_extension(connection):
        yield warn(
            "search", f"searches by words read every row: the database lacks its extension {word_indexes.EXTENSION}",
            word_indexes.REMEDY,
        )  # fmt: skip
    elif lacking := word_indexes.missing(connection):
        yield warn(
            "search",
            f"searches by words read every row: no index {', '.join(lacking)}",
            "`manage.py migrate`",
        )
    else:
        yield ok("search", "words are found by indexes")


@check("broker")
def broker() -> Iterator[Finding]:
    kind = settings.CELERY_BROKER_URL.partition(":")[0]
    began = time.monotonic()
    try:
        # One that is frozen takes connections and says nothing.
        limits = {"socket_timeout": _SECONDS}
        with app.connection_for_write(connect_timeout=_SECONDS, transport_options=limits) as there:
            there.ensure_connection(max_retries=1, timeout=_SECONDS)
            # One that is full answers, and takes nothing.
            try:
                _send_and_take_back(there)
            except there.channel_errors as error:
                yield failure(
                    "broker", f"it takes no messages: {str(error).strip()}",
                    "Look at Redis's memory (maxmemory) and at its disk, where it keeps anything. Nothing is lost "
                    "meanwhile: jobs are rows, and workers go on once it takes messages again.",
                )  # fmt: skip
                return
    except (OSError, OperationalError) as error:
        yield failure(
            "broker", f"it does not answer: {error}",
            "Look whether Redis runs and whether CELERY_BROKER_URL and REDIS_PASSWORD are right. Nothing is lost "
            "meanwhile: jobs are rows.",
        )  # fmt: skip
    else:
        yield ok("broker", f"{kind} answers in {(time.monotonic() - began) * 1000:.0f} ms")


def _send_and_take_back(there: Connection) -> None:
    with there.SimpleQueue("doctor") as own:
        own.put({})
        own.clear()
        own.queue(there.default_channel).delete()


@check("workers")
def workers() -> Iterator[Finding]:
    for queue in jobs.queues():
        for name, code in jobs.troubles(queue).items():
            yield failure(
                "workers", f"the worker {name} for “{queue}” takes no jobs: {code}", _TROUBLES[code]
            )
        if jobs.engine_online(queue):
            yield ok("workers", f"a worker for “{queue}” is alive")
        else:
            yield warn(
                "workers", f"no worker for “{queue}” has been heard of in the last seconds",
                f"Start one: celery -A skinclinic worker --pool solo --queues {queue} (with compose: `up -d`).",
            )  # fmt: skip
    # Between looking at its clock and its row being written a worker on a busy machine may wait.
    most = jobs.WORKER_SILENT_AFTER.total_seconds()
    for seen in jobs.alive().order_by("name"):
        if (ahead := jobs.clock_ahead(seen)) is not None:
            yield from _clock(f"the machine of the worker {seen.name.partition('@')[2]}", ahead, most)
    waiting = Job.objects.filter(state=Job.State.QUEUED, created_at__lt=Now() - _WAITS_LONG)
    if count := waiting.count():
        since = timezone.localtime(waiting.earliest("pk").created_at)
        yield warn(
            "workers", f"{count} jobs wait, the first since {since:%Y-%m-%d %H:%M}",
            "Look whether the reconciler (`manage.py reconcile`) and the workers run, and at their logs.",
        )  # fmt: skip


@check("backup")
def backup() -> Iterator[Finding]:
    last = AuditEvent.objects.filter(action="backup.make").order_by("-pk").first()
    remedy = "`manage.py backup DEST`, nightly: docs/backup.md and docs/systemd.md have the timer."
    if last is None:
        yield warn("backup", "no backup was ever made with `manage.py backup`", remedy)
    elif timezone.now() - last.at > _BACKUP_EVERY:
        yield warn("backup", f"the last backup was made {timezone.localtime(last.at):%Y-%m-%d %H:%M}", remedy)
    else:
        yield ok("backup", f"the last backup was made {timezone.localtime(last.at):%Y-%m-%d %H:%M}")
