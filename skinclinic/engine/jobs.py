"""Durable jobs: the only way to do work outside a request.

A handler is declared with ``@job(...)``; a request calls ``enqueue`` inside its transaction. The row is
what counts: the Celery message sent after commit only wakes a worker, and ``reconcile`` wakes workers again
for rows that were forgotten. See ``skinclinic.models.job`` for the states.

    queued ──claim──▶ running ──finish──▶ done
       ▲                 │  └──bad input, three attempts──▶ failed ──retry──▶ queued
       └──transient error / lease ended──┘
"""

import logging
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from skinclinic.models import Job, WorkerSeen

log = logging.getLogger(__name__)

MAX_ATTEMPTS = 3
# What every worker serves. A kind in another queue has workers of its own.
COMMON_QUEUES = ("analysis", "default")
WORKER_SILENT_AFTER = timedelta(seconds=20)

# What a handler returns for one job: what to store (called inside the finishing transaction) or the error.
Outcome = Callable[[], None] | Exception


class JobError(Exception):
    """The job can never succeed: bad input. ``code`` is stable, the message is for people."""

    def __init__(self, code: str, message: str):
        super().__init__(message)
        self.code = code


class LeaseLost(Exception):
    """Another worker has taken the job over; stop working on it."""


@dataclass(frozen=True)
class Kind:
    name: str
    run: Callable[[Sequence[Job]], Sequence[Outcome]]
    batch: Callable[[], int]
    lease_seconds: int | None
    transient: tuple[type[Exception], ...]
    on_change: Callable[[Sequence[Job]], None] | None
    queue: str

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
    queue: str = "default",
):
    """Declare the handler of a kind of job.

    The handler gets up to ``batch`` claimed jobs and returns one outcome for each: a callable that stores
    the result (it runs in the transaction that finishes the job, and only if this worker still holds the
    lease), or an exception. ``transient`` errors are tried again, three attempts in all; every other error
    fails at once. A claim holds for ``lease_seconds``. ``on_change`` hears of every change of state.
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
    changed = Job.objects.filter(pk=row.pk, state=Job.State.FAILED).update(
        state=Job.State.QUEUED, attempts=0, progress=0, error="", error_code="", finished_at=None
    )
    if changed:
        row.refresh_from_db()
        _changed(row.kind, [row])
        transaction.on_commit(lambda: wake(row.kind))
    return bool(changed)


def cancel(row: Job, code: str, reason: str) -> bool:
    """Fail a job that nobody has begun yet, so that ``retry`` can queue it again; False when it is not queued."""
    changed = Job.objects.filter(pk=row.pk, state=Job.State.QUEUED).update(
        state=Job.State.FAILED, error=reason, error_code=code, finished_at=timezone.now()
    )
    if changed:
        row.refresh_from_db()
        _changed(row.kind, [row])
    return bool(changed)


def wake(kind: str) -> bool:
    """Send the wake-up message; False (and a log line) when the broker cannot take it."""
    from skinclinic.engine.tasks import run_jobs

    # A queued row survives any broker failure, so none of them may reach the request.
    try:
        run_jobs.apply_async((kind,), queue=_queue(kind), retry=False, ignore_result=True)
    except Exception as error:
        log.warning("broker did not take the wake-up for %s: %s", kind, error)
        return False
    return True


def kinds_apart() -> list[str]:
    """The kinds that have workers of their own, so that photos never wait behind them."""
    return [name for name, kind in _kinds.items() if kind.queue not in COMMON_QUEUES]


def queues() -> list[str]:
    """Every queue, for a worker that serves them all."""
    return sorted({*COMMON_QUEUES, *(kind.queue for kind in _kinds.values())})


def _queue(kind: str) -> str:
    return _kinds[kind].queue if kind in _kinds else "default"


def _free(now) -> Q:
    """Jobs anyone may take: queued, or running past the end of their lease."""
    return Q(state=Job.State.QUEUED) | Q(state=Job.State.RUNNING, lease_until__lt=now)


def claim(kind: str, limit: int) -> list[Job]:
    """Take up to ``limit`` jobs in order of age, by one conditional UPDATE."""
    waiting = _claimable(kind, timezone.now())
    candidates = list(waiting.order_by("id").values_list("pk", flat=True)[:limit])
    return _take(kind, candidates) if candidates else []


def take(row: Job) -> bool:
    """Claim this very job, for a command that does the work itself; False when it is not free."""
    taken = _take(row.kind, [row.pk])
    if taken:
        row.refresh_from_db()
    return bool(taken)


def _claimable(kind: str, now):
    return Job.objects.filter(_free(now), kind=kind, attempts__lt=MAX_ATTEMPTS)


def _take(kind: str, candidates: Sequence[int]) -> list[Job]:
    now = timezone.now()
    token = uuid.uuid4()
    taken = (
        _claimable(kind, now)
        .filter(pk__in=candidates)
        .update(
            state=Job.State.RUNNING,
            attempts=F("attempts") + 1,
            lease_token=token,
            lease_until=now + _kinds[kind].lease,
            started_at=now,
            progress=0,
        )
    )
    if not taken:
        return []
    rows = list(Job.objects.filter(lease_token=token).order_by("id"))
    _changed(kind, rows)
    return rows


def run_waiting(kind_name: str) -> int:
    """Claim and run jobs of this kind until none waits; return how many were run."""
    kind = _kinds[kind_name]
    count = 0
    while rows := claim(kind_name, kind.batch()):
        for row, outcome in zip(rows, _outcomes(kind, rows), strict=True):
            finish(row, outcome)
        count += len(rows)
    return count


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
            return _settle(row, outcome, state=Job.State.DONE, progress=1.0)
        except Exception as error:
            outcome = error
    return _fail(row, outcome)


def _fail(row: Job, error: Exception) -> bool:
    kind = _kinds[row.kind]
    if isinstance(error, kind.transient) and row.attempts < MAX_ATTEMPTS:
        log.warning("%s %s: %s, attempt %d", row.kind, row.key, error, row.attempts)
        return _settle(row, None, state=Job.State.QUEUED, error=str(error))
    code = error.code if isinstance(error, JobError) else "unexpected"
    if code == "unexpected":
        log.error("%s %s failed", row.kind, row.key, exc_info=error)
    return _settle(row, None, state=Job.State.FAILED, error=str(error), error_code=code)


def _settle(row: Job, store: Callable[[], None] | None, **values) -> bool:
    """Move a job on in one transaction with what it stores; roll both back if the lease is lost."""
    try:
        with transaction.atomic():
            if values["state"] != Job.State.QUEUED:
                values["finished_at"] = timezone.now()
            held = Job.objects.filter(pk=row.pk, state=Job.State.RUNNING, lease_token=row.lease_token)
            if not held.update(lease_token=None, lease_until=None, **values):
                raise LeaseLost
            if store:
                store()
            row.refresh_from_db()
            _changed(row.kind, [row])
    except LeaseLost:
        log.warning("%s %s was taken over by another worker", row.kind, row.key)
        return False
    return True


def progress(row: Job, share: float) -> None:
    """Report a share (0..1) of long work done and renew the lease. Raises LeaseLost."""
    held = Job.objects.filter(pk=row.pk, state=Job.State.RUNNING, lease_token=row.lease_token)
    if not held.update(progress=share, lease_until=timezone.now() + _kinds[row.kind].lease):
        raise LeaseLost


def reconcile() -> dict[str, int]:
    """Wake workers for every job that waits, and fail those whose workers died three times.

    Returns how many jobs of each kind wait. Run it every 15 seconds.
    """
    now = timezone.now()
    worn_out = Job.objects.filter(_free(now), attempts__gte=MAX_ATTEMPTS)
    for row in worn_out:
        changed = worn_out.filter(pk=row.pk).update(
            state=Job.State.FAILED,
            error_code="worker_died",
            error="The worker stopped three times while it was busy with this. Retry, or ask your administrator.",
            finished_at=now,
            lease_token=None,
            lease_until=None,
        )
        if changed:
            row.refresh_from_db()
            _changed(row.kind, [row])
    waiting: dict[str, int] = {}
    for kind in Job.objects.filter(_free(now)).values_list("kind", flat=True).distinct().order_by("kind"):
        waiting[kind] = Job.objects.filter(_free(now), kind=kind).count()
        wake(kind)
    return waiting


def position(row: Job) -> int:
    """Place in the queue, 1 = next."""
    return Job.objects.filter(kind=row.kind, state=Job.State.QUEUED, id__lt=row.id).count() + 1


def worker_alive(name: str, queue: str = "") -> None:
    """Note that a worker process is alive and serves the common queues, or ``queue`` apart from them."""
    name = f"{queue}@{name}" if queue else name
    WorkerSeen.objects.update_or_create(name=name, defaults={"seen_at": timezone.now()})


def engine_online(queue: str = "") -> bool:
    """Whether a worker of the common queues, or of ``queue``, has said it is alive in the last 20 seconds."""
    seen = WorkerSeen.objects.filter(seen_at__gte=timezone.now() - WORKER_SILENT_AFTER)
    alone = Q(name__startswith=f"{queue}@") if queue else ~Q(name__contains="@")
    return seen.filter(alone).exists()


def _changed(kind: str, rows: Sequence[Job]) -> None:
    if kind in _kinds and (hear := _kinds[kind].on_change):
        hear(rows)
