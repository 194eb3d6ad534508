"""The job that compares the photos of an archive."""

from collections.abc import Sequence

from skinclinic.archive.services.curating import duplicates
from skinclinic.engine import jobs
from skinclinic.engine.jobs import Outcome, job
from skinclinic.models import Clinic, Job


@job(duplicates.JOB)
def find_duplicates(rows: Sequence[Job]) -> Sequence[Outcome]:
    """Store the pairs that look alike."""
    return [_one(row) for row in rows]


def _one(row: Job) -> Outcome:
    duplicates.search(Clinic.objects.get(pk=row.subject), lambda: jobs.progress(row, row.progress))
    return lambda: None
