"""Long work that people wait for: asked for, kept track of, stopped by a person, taken up again.

The job is the truth. A row that lists need to filter by is a ``skinclinic.models.Work`` and follows its job.
"""

from collections.abc import Callable, Collection, Sequence

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from skinclinic.engine import jobs
from skinclinic.models import Clinic, Job, User, Work, WorkState

CANCELLED = "cancelled"
_STATES = {
    Job.State.QUEUED: WorkState.WAITING,
    Job.State.RUNNING: WorkState.RUNNING,
    Job.State.DONE: WorkState.DONE,
}


def ask(kind: str, subject: int, clinic: Clinic) -> Job:
    """Ask that this work be done for a row once more; every run has a job of its own."""
    runs = Job.objects.filter(kind=kind, subject=subject).count()
    return jobs.enqueue(kind, f"{subject}:{runs + 1}", subject=subject, clinic=clinic)


def last(kinds: Collection[str], subject: int) -> Job | None:
    """The newest job of these kinds for a row."""
    return Job.objects.filter(kind__in=kinds, subject=subject).order_by("-id").first()


def is_busy(kinds: Collection[str], subject: int) -> bool:
    """Whether any such job waits or runs."""
    unfinished = (Job.State.QUEUED, Job.State.RUNNING)
    return Job.objects.filter(kind__in=kinds, subject=subject, state__in=unfinished).exists()


def ask_once(kind: str, subject: int, clinic: Clinic) -> bool:
    """Ask for it unless it waits or runs already; False where it does."""
    if is_busy([kind], subject):
        return False
    ask(kind, subject, clinic)
    return True


def state_of(job: Job, refused: Collection[str] = ()) -> WorkState:
    """Where its work stands; a job that failed with one of the codes ``refused`` was refused."""
    if job.state != Job.State.FAILED:
        return _STATES[Job.State(job.state)]
    if job.error_code == CANCELLED:
        return WorkState.STOPPED
    return WorkState.REFUSED if job.error_code in refused else WorkState.FAILED


def cancel(job: Job, by: User) -> bool:
    """Stop work at a person's wish: what waits is not begun, what runs ends the next time it says how far it is.
    What it has stored stays, and ``jobs.retry`` takes it up again. False when it is over already."""
    return jobs.cancel(job, CANCELLED, _("Stopped by %(name)s.") % {"name": by}, running=True)


def follow(
    model: type[Work],
    *,
    refused: Collection[str] = (),
    rows: Callable[[Job], QuerySet] | None = None,
) -> Callable[[Sequence[Job]], None]:
    """A handler of ``on_change`` that keeps rows with their jobs. ``rows``: those of a job, where ``subject`` does not
    say it."""

    def hear(changed: Sequence[Job]) -> None:
        for job in changed:
            found = rows(job) if rows else model._default_manager.filter(pk=job.subject)
            state = state_of(job, refused)
            is_over = state not in (WorkState.WAITING, WorkState.RUNNING)
            error = job.error if job.state == Job.State.FAILED else ""
            found.update(state=state, error=error, finished_at=timezone.now() if is_over else None)

    return hear
