"""The job of a study's results."""

from collections.abc import Sequence

from reader_study.models import StudyResult
from reader_study.services.results import results
from skinclinic.engine import jobs, work
from skinclinic.engine.jobs import JobError, Outcome, job
from skinclinic.models import Job


@job(results.JOB, on_change=work.follow(StudyResult, rows=results.rows_of))
def compute(rows: Sequence[Job]) -> Sequence[Outcome]:
    """Compute reports and curves; a few seconds."""
    return [_outcome(row) for row in rows]


def _outcome(row: Job) -> Outcome:
    found = (
        StudyResult.objects.filter(study=row.subject)
        .select_related("study__clinic", "study__model_version")
        .first()
    )
    if found is None:
        return JobError("study_deleted", "The study was deleted.")

    def say(done: int, total: int) -> None:
        StudyResult.objects.filter(pk=found.pk).update(done=done, total=total)
        jobs.progress(row, min(done / max(total, 1), 1.0))

    try:
        return results.compute(found, say)
    except JobError as error:
        return error
