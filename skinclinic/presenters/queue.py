"""Jobs and workers as the page *Queue* shows them: no patient, no key of a job, which may be a secret."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _

from skinclinic.models import Job
from skinclinic.presenters.engine import trouble_words
from skinclinic.presenters.job_errors import words_of
from skinclinic.presenters.job_names import name_of, queue_name
from skinclinic.services import queue
from skinclinic.services.queue import MOST_COUNTED, Scope
from skinclinic.web.counts import grouped

WORDS = {
    Job.State.RUNNING: lambda: _("Running"),
    Job.State.QUEUED: lambda: _("Waiting"),
    Job.State.FAILED: lambda: _("Failed"),
}


@dataclass(frozen=True)
class Row:
    """``since``: when it began, was asked for (again) or failed; ``tried_at``: when it is tried again."""

    job: Job
    name: str
    clinic: str
    where: str
    since: datetime
    tried_at: datetime | None
    percent: int
    error: str
    can_stop: bool
    can_retry: bool


@dataclass(frozen=True)
class Worker:
    """``left``: what is left of its machine, one thing each; ``process`` "" where that is nobody's business."""

    queue: str
    process: str
    began_at: datetime | None
    trouble: str
    left: list[str]
    done: int
    failed: int


def rows(found: Iterable[Job], scope: Scope, now: datetime) -> list[Row]:
    """Of one page; ``now``: the database's."""
    listed = list(found)
    since = queue.asked_since([job for job in listed if job.state == Job.State.FAILED])
    return [_row(job, scope, now, job.pk in since) for job in listed]


def _row(job: Job, scope: Scope, now: datetime, is_replaced: bool) -> Row:
    began = {Job.State.RUNNING: job.started_at, Job.State.FAILED: job.finished_at}.get(Job.State(job.state))
    waits = job.not_before or job.created_at
    is_paused = job.state == Job.State.QUEUED and waits > now
    return Row(
        job=job,
        name=name_of(job.kind),
        clinic=str(job.clinic) if scope.is_whole and job.clinic else "",
        where=job.worker if scope.is_whole and job.state != Job.State.QUEUED else "",
        since=began or (job.created_at if is_paused else waits),
        tried_at=waits if is_paused else None,
        percent=round(100 * job.progress) if job.state == Job.State.RUNNING else 0,
        error=words_of(job) if job.state == Job.State.FAILED else "",
        can_stop=queue.can_stop(job),
        can_retry=job.state == Job.State.FAILED and not is_replaced,
    )


def workers(found: Iterable[Mapping]) -> list[Worker]:
    return [
        Worker(
            queue=queue_name(one["queue"]),
            process=one.get("process", ""),
            began_at=one["began_at"],
            trouble=trouble_words(one["trouble"]),
            left=_left(one.get("machine", {})),
            done=one.get("done", 0),
            failed=one.get("failed", 0),
        )
        for one in found
    ]


def _left(machine: Mapping) -> list[str]:
    said = []
    for what, words in (
        ("memory", _("memory: %(left)s of %(all)s left")),
        ("disk", _("disk: %(left)s of %(all)s left")),
    ):
        if what in machine:
            said.append(words % _sizes(machine[f"{what}_left"], machine[what]))
    for gpu in machine.get("gpus", []):
        words = _("GPU %(name)s: %(left)s of %(all)s left")
        said.append(words % {"name": gpu["name"], **_sizes(gpu["memory_left"], gpu["memory"])})
    return said


def _sizes(left: float, everything: float) -> dict[str, str]:
    return {"left": filesizeformat(left), "all": filesizeformat(everything)}


def told(count: int) -> str:
    """A number, or that it is more than were counted."""
    return f"{grouped(MOST_COUNTED)}+" if count > MOST_COUNTED else str(grouped(count))
