"""What of the engine's work an admin may see and change: what runs, waits or has failed.

Admins see the jobs of their clinic; those who look after the installation, which are the admins that ``OPERATORS``
names and, where there is one clinic, its admins, see everybody's, and the machines of the workers. Every question is
bounded by what a page shows, however many jobs there are: what is many is not counted out.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.db.models import Max, QuerySet

from skinclinic.engine import jobs, work
from skinclinic.models import Clinic, Job, Member, User
from skinclinic.permissions import ADMIN, require
from skinclinic.services import audit

STATES = (Job.State.RUNNING, Job.State.QUEUED, Job.State.FAILED)
MOST_COUNTED = 1000
# As many as a request queues in a moment; whoever has more asks again.
RETRIED_AT_ONCE = 500
_PART = 100
# Failed at somebody's wish: trying all again does not touch it.
_STOPPED = (work.CANCELLED, "stopped")


@dataclass(frozen=True)
class Scope:
    """``clinic``: the one whose jobs are seen; None: everybody's, and the machines of workers."""

    clinic: Clinic | None

    @property
    def is_whole(self) -> bool:
        return self.clinic is None

    def jobs(self) -> QuerySet[Job]:
        """Those that may be seen, whatever their state."""
        return Job.objects.all() if self.clinic is None else Job.objects.filter(clinic=self.clinic)


# {kind: how its jobs are stopped, and taken up again, where more belongs to it than the job}. They say whether it was.
stoppers: dict[str, Callable[[Job, User], bool]] = {}
retriers: dict[str, Callable[[Job], bool]] = {}


def scope_of(member: Member) -> Scope:
    """What this member may see. Raises PermissionDenied for all but admins."""
    require(member, ADMIN)
    named = member.user.username.lower() in settings.OPERATORS
    alone = not settings.OPERATORS and not Clinic.objects.exclude(pk=member.clinic_id).exists()
    return Scope(None if named or alone else member.clinic)


def in_state(scope: Scope, state: str, kind: str = "") -> QuerySet[Job]:
    """Jobs of a state, and of one kind if it is given."""
    found = scope.jobs().filter(state=state)
    return found.filter(kind=kind) if kind else found


def counts(scope: Scope, kind: str = "") -> dict[str, int]:
    """{state: how many}; MOST_COUNTED + 1 for any more than that."""
    return {
        str(state): in_state(scope, state, kind).order_by()[: MOST_COUNTED + 1].count() for state in STATES
    }


def can_stop(job: Job) -> bool:
    return job.state in (Job.State.QUEUED, Job.State.RUNNING) and jobs.may_be_stopped(job.kind)


def stop(job: Job, by: User) -> bool:
    """Stop it; False when it is over already, or may not be stopped."""
    if not can_stop(job):
        return False
    is_stopped = stoppers.get(job.kind, work.cancel)(job, by)
    if is_stopped:
        audit.record("job.stop", clinic=job.clinic_id, by=by, facts={"job": job.pk, "kind": job.kind})
    return is_stopped


def asked_since(found: Iterable[Job]) -> set[int]:
    """Keys of those whose work was asked for anew since: another job does it, or has done it."""
    rows = [job for job in found if job.subject is not None and job.kind not in retriers]
    newest: dict[tuple, int] = {}
    for kind in {job.kind for job in rows}:
        subjects = {job.subject for job in rows if job.kind == kind}
        same = Job.objects.filter(kind=kind, subject__in=subjects).order_by().values_list("clinic", "subject")
        for clinic, subject, key in same.annotate(newest=Max("pk")):
            newest[kind, clinic, subject] = key
    return {job.pk for job in rows if newest[job.kind, job.clinic_id, job.subject] > job.pk}


def retry(job: Job, by: User) -> bool:
    """Queue a failed job again; False where it is not failed, or was asked for anew."""
    if job.state != Job.State.FAILED or asked_since([job]):
        return False
    is_queued = retriers[job.kind](job) if job.kind in retriers else jobs.retry(job)
    if is_queued:
        audit.record("job.retry", clinic=job.clinic_id, by=by, facts={"job": job.pk, "kind": job.kind})
    return is_queued


def retry_all(scope: Scope, by: User, kind: str = "") -> int:
    """Queue failed jobs again, the oldest first, ``RETRIED_AT_ONCE`` at most; what a person has stopped and what was
    asked for anew stays. Return how many were queued."""
    failed = in_state(scope, Job.State.FAILED, kind).exclude(error_code__in=_STOPPED).order_by("id")
    found = list(failed[:RETRIED_AT_ONCE])
    passed = asked_since(found)
    by_kind: dict[tuple[int | None, str], list[Job]] = {}
    for job in found:
        if job.pk not in passed:
            by_kind.setdefault((job.clinic_id, job.kind), []).append(job)
    return sum(_retry_kind(rows, clinic, name, by) for (clinic, name), rows in by_kind.items())


def _retry_kind(rows: list[Job], clinic: int | None, kind: str, by: User) -> int:
    count = 0
    for start in range(0, len(rows), _PART):
        part = rows[start : start + _PART]
        with transaction.atomic():
            if kind in retriers:
                queued = sum(retriers[kind](job) for job in part)
            else:
                queued = jobs.retry_all(kind, [job.pk for job in part])
            if queued:
                audit.record("job.retry", clinic=clinic, by=by, facts={"kind": kind, "jobs": queued})
        count += queued
    return count


def machines(scope: Scope) -> Sequence[Mapping]:
    """Living workers: queue, when they began, why they rest; and, to who looks after the installation, which process
    of which machine, what is left there and what it has done."""
    found = []
    for seen in jobs.alive().order_by("name"):
        queue, _at, process = seen.name.partition("@")
        row: dict = {"queue": queue, "began_at": seen.began_at, "trouble": seen.trouble}
        if scope.is_whole:
            told = seen.told or {}
            done = [counts for kind, counts in told.get("jobs", {}).items() if jobs.queue_of(kind) == queue]
            row |= {
                "process": process, "machine": told.get("machine", {}),
                "done": int(sum(one["done"] for one in done)), "failed": int(sum(one["failed"] for one in done)),
            }  # fmt: skip
        found.append(row)
    return found
