"""The jobs of a study's results."""

from collections.abc import Callable, Sequence

from classifier.services import trainings
from classifier.weights import ModelRejected
from reader_study.models import StudyResult
from reader_study.services import results
from skinclinic import jobs
from skinclinic.jobs import JobError, Outcome, job
from skinclinic.models import Job


@job(results.JOB, lease_seconds=600, on_change=results.follow_jobs)
def compute(rows: Sequence[Job]) -> Sequence[Outcome]:
    """Compute reports and curves; some seconds."""
    return [_outcome(row, results.compute) for row in rows]


# Of its own queue: a test set may be thousands of photos.
@job(results.WHOLE_SET_JOB, lease_seconds=600, queue=trainings.QUEUE)
def analyse_whole_set(rows: Sequence[Job]) -> Sequence[Outcome]:
    """Analyse the whole test set from which a study was drawn, then have its results computed anew."""
    return [_outcome(row, results.analyse_whole_set) for row in rows]


def _outcome(row: Job, work: Callable) -> Outcome:
    found = (
        StudyResult.objects.filter(study=row.subject)
        .select_related("study__clinic", "study__model_version")
        .first()
    )
    if found is None:
        return JobError("study_deleted", "The study was deleted.")

    def say(done: int, total: int) -> None:
        if row.kind == results.JOB:
            StudyResult.objects.filter(pk=found.pk).update(done=done, total=total)
        jobs.progress(row, min(done / max(total, 1), 1.0))

    try:
        return work(found, say)
    except JobError as error:
        return error
    except ModelRejected as error:
        return JobError(error.code, error.message)
