"""Durable jobs: the only way to do work outside a request.

A handler is declared with ``@job(...)``; a request calls ``enqueue`` inside its transaction. The row is
what counts: the Celery message sent after commit only wakes a worker, and ``reconcile`` wakes workers again
for rows that were forgotten. See ``skinclinic.models.job`` for the states.

    queued ──claim──▶ running ──finish──▶ done
       ▲                 │  └──bad input, three attempts──▶ failed ──retry──▶ queued
       └──transient error──┘
          (after a pause)

What is wrong with the worker and not with the job is no attempt of the job (``health.py``).

A worker that dies no longer renews its lease: when that ends any worker takes the running row over, and after
three attempts ``reconcile`` lets it fail as ``worker_died``. Every moment here is of the database's clock, which all
workers share, never of a worker's own.
"""

import logging
import time
import uuid
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext_noop

from skinclinic.celery import app
from skinclinic.engine import health, lease_renewal, machine, tally, waking
from skinclinic.engine.health import WorkerFault
from skinclinic.models import Job, WorkerSeen
from skinclinic.web import acting
from skinclinic.web.full_disks import is_database_full, is_disk_full

log = logging.getLogger(__name__)

MAX_ATTEMPTS = 3
# Before the second attempt, and before the third: what is short for a moment is there again.
PAUSES = (timedelta(seconds=5), timedelta(seconds=30))
# Each queue has workers of its own, so that a photo, at which a person looks, never waits behind anything else.
# ``BATCH`` is what takes long: imports, datasets, evaluations, results; whatever does not say where it belongs.
PHOTOS, BATCH, TRAINING, MAIL = "analysis", "batch", "training", "mail"
WORKER_SILENT_AFTER = timedelta(seconds=20)

# Whatever kind a job is of: what it needed was away for a moment.
_TRANSIENT = (MemoryError, OperationalError, InterfaceError)
NO_MEMORY = gettext_noop("There was not enough memory for it. Try again later.")
NO_ROOM = gettext_noop("The server's disk is full. Nothing was stored. Tell your administrator.")
UNEXPECTED = gettext_noop(
    "Something unexpected went wrong (number %(number)s). Try again; if it stays, tell your administrator."
)

# Of a failed job that is asked for again.
_AS_NEW = {
    "state": Job.State.QUEUED, "attempts": 0, "progress": 0, "error": "", "error_code": "", "finished_at": None,
}  # fmt: skip

# What a handler returns for one job: what to store (called inside the finishing transaction) or the error.
Outcome = Callable[[], None] | Exception


class JobError(Exception):
    """The job can never succeed: bad input. ``code`` is stable, the message is for people."""

    def __init__(self, code: str, message: str):
        super().__init__(message)
        self.code = code


class LeaseLost(Exception):
    """Another worker has taken the job over, or a person has cancelled it; stop working on it."""


@dataclass(frozen=True)
class Kind:
    name: str
    run: Callable[[Sequence[Job]], Sequence[Outcome]]
    batch: Callable[[], int]
    lease_seconds: int | None
    transient: tuple[type[Exception], ...]
    on_change: Callable[[Sequence[Job]], None] | None
    queue: str
    may_be_stopped: bool = True

    @property
    def lease(self) -> timedelta:
        return timedelta(seconds=self.lease_seconds or settings.JOB_LEASE_SECONDS)


_kinds: dict[str, Kind] = {}


def job(
    name: str,
    *,
    batch: int | Callable[[], int] = 1,
    lease_seconds: int | None = None,
    transient: tuple[type[Exception], ...] = (),
    on_change: Callable[[Sequence[Job]], None] | None = None,
    queue: str = BATCH,
    may_be_stopped: bool = True,
):
    """Declare the handler of a kind of job.

    The handler gets up to ``batch`` claimed jobs and returns one outcome for each: a callable that stores
    the result (it runs in the transaction that finishes the job, and only if this worker still holds the
    lease), or an exception. ``transient`` errors, a lack of memory, a full disk and a database that is away are tried
    again after a pause, three attempts in all; a ``WorkerFault`` is no attempt; every other error fails at once. A
    worker that has been silent for ``lease_seconds`` has died. ``on_change`` hears of every change of state, in the
    transaction that makes it. What nobody ``may_be_stopped`` at has been promised to somebody, such as an erasure.
    """

    def declare(run):
        _kinds[name] = Kind(
            name,
            run,
            batch if callable(batch) else lambda: batch,
            lease_seconds,
            transient,
            on_change,
            queue,
            may_be_stopped,
        )
        return run

    return declare


def enqueue(kind: str, key: str, *, subject: int | None = None, clinic=None) -> Job:
    """Return the job that computes ``key``, made and announced if there is none. Asking twice is harmless."""
    row, created = Job.objects.get_or_create(
        kind=kind, key=key, defaults={"subject": subject, "clinic": clinic}
    )
    if created:
        _changed(kind, [row])
        transaction.on_commit(lambda: wake(kind))
    return row


def retry(row: Job) -> bool:
    """Queue a failed job again with fresh attempts; False when it is not failed."""
    changed = _change(row, Q(state=Job.State.FAILED), **_AS_NEW, not_before=Now())
    if changed:
        transaction.on_commit(lambda: wake(row.kind))
    return changed


@transaction.atomic
def retry_all(kind: str, keys: Sequence[int]) -> int:
    """Queue those of these jobs (by primary key) again that have failed; return how many."""
    failed = Job.objects.filter(pk__in=keys, kind=kind, state=Job.State.FAILED).select_for_update()
    found = list(failed.order_by("pk").values_list("pk", flat=True))
    if found:
        Job.objects.filter(pk__in=found).update(**_AS_NEW, not_before=Now())
        _changed(kind, list(Job.objects.filter(pk__in=found)))
        transaction.on_commit(lambda: wake(kind))
    return len(found)


def cancel(row: Job, code: str, reason: str, *, running: bool = False) -> bool:
    """Fail a job that nobody has begun yet, so that ``retry`` can queue it again; False when it is not queued.

    ``running``: also one that is at work; its worker loses it and stops at its next ``progress``.
    """
    states = [Job.State.QUEUED, Job.State.RUNNING] if running else [Job.State.QUEUED]
    return _change(
        row, Q(state__in=states),
        state=Job.State.FAILED, error=reason, error_code=code, finished_at=Now(),
        lease_token=None, lease_until=None,
    )  # fmt: skip


@transaction.atomic
def _change(row: Job, if_still: Q, **values) -> bool:
    """Move a job on together with all that follows it, if it is still as it was; else False."""
    changed = Job.objects.filter(if_still, pk=row.pk).update(**values)
    if changed:
        row.refresh_from_db()
        _changed(row.kind, [row])
    return bool(changed)


def wake(kind: str) -> bool:
    """Send the wake-up message; False (and a log line) when the broker cannot take it. It takes well under a second."""
    # A queued row survives any broker failure, so none of them may reach the request. The message says nothing of
    # until when it holds: a worker would ask its own clock, and one that is ahead would hear of no work at all. One
    # that is late finds what waits by then, or nothing.
    try:
        waking.send(
            lambda producer: app.send_task(
                "skinclinic.run_jobs", (kind,), queue=queue_of(kind), retry=False, ignore_result=True, producer=producer
            )
        )  # fmt: skip
    except waking.NotNow:
        return False
    except Exception as error:  # noqa: BLE001 - each broker has failures of its own
        log.warning("broker did not take the wake-up for %s: %s", kind, error)
        return False
    return True


def kinds_of(queue: str) -> list[str]:
    """The kinds that the workers of a queue do."""
    return [name for name, kind in _kinds.items() if kind.queue == queue]


def waits(queue: str) -> bool:
    """Whether a job of this queue may be taken by whoever hears of it."""
    return Job.objects.filter(_free(), kind__in=kinds_of(queue), attempts__lt=MAX_ATTEMPTS).exists()


def all_kinds() -> list[str]:
    """Every kind of job there is."""
    return list(_kinds)


def queues() -> list[str]:
    """Every queue, for a worker that serves them all."""
    return sorted({kind.queue for kind in _kinds.values()})


def may_be_stopped(kind: str) -> bool:
    """Whether people may stop jobs of this kind."""
    return kind in _kinds and _kinds[kind].may_be_stopped


def queue_of(kind: str) -> str:
    """The queue whose workers do this kind."""
    return _kinds[kind].queue if kind in _kinds else BATCH


def _free() -> Q:
    """Jobs anyone may take: queued and not in a pause, or running past the end of their lease."""
    waits = Q(state=Job.State.QUEUED) & (Q(not_before=None) | Q(not_before__lte=Now()))
    return waits | Q(state=Job.State.RUNNING, lease_until__lt=Now())


def claim(kind: str, limit: int) -> list[Job]:
    """Take up to ``limit`` jobs in order of age, by one conditional UPDATE."""
    candidates = list(_claimable(kind).order_by("id").values_list("pk", flat=True)[:limit])
    return _take(kind, candidates) if candidates else []


def take(row: Job) -> bool:
    """Claim this very job, for a command that does the work itself; False when it is not free."""
    taken = _take(row.kind, [row.pk])
    if taken:
        row.refresh_from_db()
    return bool(taken)


def _claimable(kind: str) -> QuerySet[Job]:
    return Job.objects.filter(_free(), kind=kind, attempts__lt=MAX_ATTEMPTS)


@transaction.atomic
def _take(kind: str, candidates: Sequence[int]) -> list[Job]:
    token = uuid.uuid4()
    taken = (
        _claimable(kind)
        .filter(pk__in=candidates)
        .update(
            state=Job.State.RUNNING,
            attempts=F("attempts") + 1,
            lease_token=token,
            lease_until=Now() + _kinds[kind].lease,
            started_at=Now(),
            progress=0,
            worker=machine.process_name(),
        )
    )
    if not taken:
        return []
    rows = list(Job.objects.filter(lease_token=token).order_by("id"))
    _changed(kind, rows)
    return rows


def run_waiting(kind_name: str) -> int:
    """Claim and run jobs of this kind until none waits, or this worker has to rest; return how many were run."""
    kind = _kinds[kind_name]
    count = 0
    # One that was in trouble tries a single job.
    while not health.rest_left() and (rows := claim(kind_name, 1 if health.trouble() else kind.batch())):
        with acting.acting(acting.job(kind_name, [row.pk for row in rows])):
            began = time.monotonic()
            outcomes = _worked_at(kind, rows)
            for row, outcome in zip(rows, outcomes, strict=True):
                is_told = finish(row, outcome)
                tally.note(
                    kind_name, _ended(row) if is_told else tally.LOST, (time.monotonic() - began) / len(rows)
                )
        count += len(rows)
    return count


def _ended(row: Job) -> str:
    """How this attempt at a job ended, for the tally."""
    return {Job.State.DONE: tally.DONE, Job.State.FAILED: tally.FAILED}.get(Job.State(row.state), tally.AGAIN)


def held(rows: Sequence[Job]) -> AbstractContextManager[None]:
    """Keep claimed jobs of one kind while the block works on them, however long it takes."""
    return lease_renewal.renewed(rows, _kinds[rows[0].kind].lease)


def _worked_at(kind: Kind, rows: Sequence[Job]) -> Sequence[Outcome]:
    try:
        with held(rows):
            return _outcomes(kind, rows)
    except WorkerFault as fault:
        # The work was not begun.
        return [fault for _row in rows]


def _outcomes(kind: Kind, rows: Sequence[Job]) -> Sequence[Outcome]:
    try:
        return kind.run(rows)
    except Exception as error:
        if len(rows) == 1:
            return [error]
        log.exception("a batch of %d %s jobs failed; trying them one by one", len(rows), kind.name)
    return [_outcomes(kind, [row])[0] for row in rows]


def finish(row: Job, outcome: Outcome) -> bool:
    """Store a job's outcome, if this worker still holds the lease. False: it was lost, nothing stored."""
    if not isinstance(outcome, Exception):
        try:
            is_stored = _settle(row, outcome, state=Job.State.DONE, progress=1.0)
            health.done()
            return is_stored
        except Exception as error:  # noqa: BLE001 - whatever it is, the job has failed of it
            outcome = error
    return _fail(row, outcome)


def _fail(row: Job, error: Exception) -> bool:
    kind = _kinds[row.kind]
    if isinstance(error, LeaseLost):
        log.warning("%s %s was cancelled or taken over by another worker", row.kind, row.key)
        return False
    health.failed(error, row.pk)
    if isinstance(error, WorkerFault) or is_database_full(error):
        # Of a database without room no other worker knows more, however often it is tried.
        log.error("%s %s waits on: %s", row.kind, row.key, error)
        back = {"attempts": F("attempts") - 1, "not_before": Now() + PAUSES[0]}
        return _settle(row, None, state=Job.State.QUEUED, **back)
    is_transient = isinstance(error, (*kind.transient, *_TRANSIENT)) or is_disk_full(error)
    if is_transient and row.attempts < MAX_ATTEMPTS:
        log.warning("%s %s: %r, attempt %d", row.kind, row.key, error, row.attempts)
        return _settle(row, None, state=Job.State.QUEUED, not_before=Now() + PAUSES[row.attempts - 1])
    code = error.code if isinstance(error, JobError) else "unexpected"
    words = str(error)
    if isinstance(error, MemoryError):
        log.error("%s %s failed of memory: %r", row.kind, row.key, error)
        code, words = "out_of_memory", NO_MEMORY
    elif is_disk_full(error):
        log.error("%s %s failed of a full disk: %r", row.kind, row.key, error)
        code, words = "storage_full", NO_ROOM
    if code == "unexpected":
        # What a library says is for the log: no stack, no layer, no address of a server reaches a page.
        words = UNEXPECTED % {"number": number_for(error)}
        log.error("%s %s failed: %s", row.kind, row.key, words)
    return _settle(row, None, state=Job.State.FAILED, error=words, error_code=code)


def number_for(error: Exception) -> str:
    """A number to tell people; the log says what it stands for."""
    number = uuid.uuid4().hex[:8]
    log.error("number %s is: %r", number, error, exc_info=error)
    return number


def _settle(row: Job, store: Callable[[], None] | None, **values) -> bool:
    """Move a job on in one transaction with what it stores; roll both back if the lease is lost."""
    try:
        with transaction.atomic():
            if values["state"] != Job.State.QUEUED:
                values["finished_at"] = Now()
            held = Job.objects.filter(pk=row.pk, state=Job.State.RUNNING, lease_token=row.lease_token)
            if not held.update(lease_token=None, lease_until=None, **values):
                raise LeaseLost
            if store:
                store()
            row.refresh_from_db()
            _changed(row.kind, [row])
    except LeaseLost:
        log.warning("%s %s was cancelled or taken over by another worker", row.kind, row.key)
        return False
    return True


def progress(row: Job, share: float) -> None:
    """Report a share (0..1) of long work done. Raises LeaseLost."""
    held = Job.objects.filter(pk=row.pk, state=Job.State.RUNNING, lease_token=row.lease_token)
    if not held.update(progress=share, lease_until=Now() + _kinds[row.kind].lease):
        raise LeaseLost


def reconcile() -> dict[str, int]:
    """Wake workers for every job that waits, and fail those whose workers died three times.

    Returns how many jobs of each kind wait. Run it every 15 seconds.
    """
    _shorten_leases()
    _shorten_pauses()
    worn_out = _free() & Q(attempts__gte=MAX_ATTEMPTS)
    for row in Job.objects.filter(worn_out):
        try:
            _change(
                row, worn_out, state=Job.State.FAILED, error_code="worker_died",
                error="The worker stopped three times while it was busy with this. Retry, or ask your administrator.",
                finished_at=Now(), lease_token=None, lease_until=None,
            )  # fmt: skip
        except Exception:
            log.exception("%s %s cannot be given up; the others go on", row.kind, row.key)
    waiting: dict[str, int] = {}
    for kind in Job.objects.filter(_free()).values_list("kind", flat=True).distinct().order_by("kind"):
        waiting[kind] = Job.objects.filter(_free(), kind=kind).count()
        wake(kind)
    return waiting


def _shorten_leases() -> None:
    """Let no lease end later than one that begins now: the database's own clock was put back, or a process of an
    older version went by its own. Whoever holds it and lives renews it before it ends."""
    running = Job.objects.filter(state=Job.State.RUNNING)
    for lease in {kind.lease for kind in _kinds.values()}:
        names = [kind.name for kind in _kinds.values() if kind.lease == lease]
        running.filter(kind__in=names, lease_until__gt=Now() + lease).update(lease_until=Now() + lease)


def _shorten_pauses() -> None:
    """The same of pauses."""
    in_pause = Job.objects.filter(state=Job.State.QUEUED, not_before__gt=Now() + max(PAUSES))
    in_pause.update(not_before=Now() + max(PAUSES))


def position(row: Job) -> int:
    """Place in the queue, 1 = next."""
    return Job.objects.filter(kind=row.kind, state=Job.State.QUEUED, id__lt=row.id).count() + 1


def ahead(row: Job) -> int:
    """How many jobs its workers have to do, or are doing, that were asked for before it."""
    unfinished = (Job.State.QUEUED, Job.State.RUNNING)
    kinds = kinds_of(queue_of(row.kind))
    return Job.objects.filter(kind__in=kinds, state__in=unfinished, id__lt=row.id).count()


def is_served(kind: str) -> bool:
    """Whether a worker is alive that does this kind."""
    return engine_online(queue_of(kind))


def worker_alive(name: str, queue: str = PHOTOS, *, begins: bool = False) -> None:
    """Note that a worker process of this queue is alive, what keeps it from working, what it has done, what is left of
    its machine and what its clock shows. ``begins``: it says so for the first time; another one may have had its
    name."""
    told: dict[str, Any] = {"machine": machine.told(), "jobs": tally.told()}
    said: dict[str, Any] = {"seen_at": Now(), "trouble": health.trouble(), "told": told}
    told["clock"] = time.time()
    if begins:
        said["began_at"] = Now()
    WorkerSeen.objects.update_or_create(name=f"{queue}@{name}", defaults=said)


def alive() -> QuerySet[WorkerSeen]:
    """Workers that have said in the last 20 seconds that they are alive."""
    return WorkerSeen.objects.filter(seen_at__gte=Now() - WORKER_SILENT_AFTER)


def clock_ahead(seen: WorkerSeen) -> float | None:
    """Seconds that the clock of a worker's machine was ahead of the database's when it last said that it is alive (less
    than 0: behind); None where it did not say."""
    shown = (seen.told or {}).get("clock")
    return None if shown is None else float(shown) - seen.seen_at.timestamp()


def engine_online(queue: str = PHOTOS) -> bool:
    """Whether a worker of this queue has said in the last 20 seconds that it is alive, and takes jobs."""
    return "" in _troubles(queue).values()


def troubles(queue: str = PHOTOS) -> dict[str, str]:
    """Why living workers of this queue take no jobs; {name of a worker: one of the codes of ``health``}."""
    return {name: code for name, code in _troubles(queue).items() if code}


def _troubles(queue: str) -> dict[str, str]:
    of_queue = alive().filter(name__startswith=f"{queue}@")
    return {name.partition("@")[2]: code for name, code in of_queue.values_list("name", "trouble")}


def _changed(kind: str, rows: Sequence[Job]) -> None:
    if kind in _kinds and (hear := _kinds[kind].on_change):
        hear(rows)
