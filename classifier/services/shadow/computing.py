"""Which photos a candidate in the shadow computes, and when: a job of the queue of long work, which ends whenever a
photo of any clinic waits, and which the reconciler asks for again."""

import logging
from datetime import timedelta

from django.db.models import Exists, OuterRef, QuerySet

from classifier.models import Analysis, Shadow
from classifier.runtimes import precisions
from classifier.services.analysis import analyses, batch_analyses
from classifier.services.following import cases
from classifier.services.models import registry
from classifier.services.shadow import figures, runs
from skinclinic.engine import clock, work
from skinclinic.engine.housekeeping import now_and_then
from skinclinic.models import Job

log = logging.getLogger(__name__)
JOB = "shadow"
LOOK_SECONDS = 20
# Of more new photos than this the oldest are left out, and counted; so many a job; so many between two looks at whether
# a clinic's photo waits.
BACKLOG, A_JOB, AT_ONCE = 1000, 200, 4
FIGURES_AFTER, ANYWAY_AFTER = timedelta(minutes=10), timedelta(days=1)
_MOST_UNREADABLE = 1000


def answered(row: Shadow) -> QuerySet[Analysis]:
    """What the model in use has answered since the candidate is in the shadow, of the clinic's own patients."""
    found = Analysis.objects.asked_for().filter(
        clinic=row.clinic_id, model_version=row.in_use_id, requested_at__gte=row.started_at, scores__isnull=False,
        photo__lesion__is_archived=False, before_cover=False,
    )  # fmt: skip
    return found.filter(requested_at__lt=row.ended_at) if row.ended_at else found


def by_candidate(row: Shadow) -> QuerySet[Analysis]:
    """The candidate's analyses in full precision, whoever asked for them."""
    kept = Analysis.objects.filter(
        model_version=row.model_version_id, before_cover=False, scores__isnull=False
    )
    return kept.filter(precision__in=("", precisions.F32))


def waiting(row: Shadow) -> list[int]:
    """Keys of the photos that the candidate is still to compute, the oldest first, ``BACKLOG`` at most."""
    same = by_candidate(row).filter(
        photo=OuterRef("photo"),
        box_x=OuterRef("box_x"),
        box_y=OuterRef("box_y"),
        box_size=OuterRef("box_size"),
    )
    lacking = answered(row).exclude(Exists(same)).exclude(photo__in=row.unreadable).order_by("-pk")
    found = [
        one.photo_id
        for one in lacking.select_related("photo").defer("maps")[:BACKLOG]
        # The candidate sees the square that is chosen now; one that was chosen anew has an answer of its own.
        if one.box == one.photo.box
    ]
    return list(dict.fromkeys(reversed(found)))


@now_and_then(LOOK_SECONDS)
def look() -> None:
    """End those whose model in use is no more, and ask for what is due of the others."""
    for row in Shadow.objects.filter(ended_at=None).select_related("clinic", "model_version"):
        try:
            if registry.published(row.clinic) != row.in_use:
                runs.end(row, Shadow.Ending.OTHER_MODEL)
            elif not _has_failed(row) and is_due(row):
                ask(row)
        except Exception:
            log.exception("the shadow of %s cannot be looked after; the others go on", row)


def is_due(row: Shadow) -> bool:
    """Whether a photo waits for the candidate, or figures are older than what was proven since."""
    if not _is_busy_elsewhere() and waiting(row):
        return True
    age = clock.since(row.computed_at)
    if age < FIGURES_AFTER:
        return False
    return age >= ANYWAY_AFTER or cases.proofs_changed_since(row.clinic_id, row.computed_at)


def ask(row: Shadow) -> bool:
    """Have it done; False while that is under way."""
    return work.ask_once(JOB, row.pk, row.clinic)


def problem(row: Shadow) -> Job | None:
    """The job that failed last, where it goes on no more."""
    job = work.last([JOB], row.pk)
    return job if job is not None and job.state == Job.State.FAILED else None


def _has_failed(row: Shadow) -> bool:
    return problem(row) is not None


def run(row: Shadow, say=lambda share: None) -> None:
    """Compute what waits while no clinic's photo does, then the figures. Raises weights.ModelRejected, LeaseLost."""
    photos = waiting(row)[:A_JOB]
    for start in range(0, len(photos), AT_ONCE):
        if _is_busy_elsewhere() or not Shadow.objects.filter(pk=row.pk, ended_at=None).exists():
            break
        part = photos[start : start + AT_ONCE]
        unreadable = batch_analyses.analyse(row.model_version, part, give_way=False)
        if unreadable:
            row.unreadable = [*row.unreadable, *(one.photo for one in unreadable)][-_MOST_UNREADABLE:]
            Shadow.objects.filter(pk=row.pk).update(unreadable=row.unreadable)
        say((start + len(part)) / len(photos))
    began = clock.now()
    Shadow.objects.filter(pk=row.pk).update(figures=figures.compute(row), computed_at=began)


def _is_busy_elsewhere() -> bool:
    """Whether a photo of any clinic waits for its answer: a person looks at the screen."""
    return Job.objects.filter(kind=analyses.JOB, state__in=(Job.State.QUEUED, Job.State.RUNNING)).exists()
