"""The job that fills a large dataset."""

from collections.abc import Sequence

from skinclinic import jobs
from skinclinic.archive.models import DatasetVersion
from skinclinic.archive.services import datasets
from skinclinic.jobs import Outcome, job
from skinclinic.models import Job


@job(datasets.FILL_JOB, lease_seconds=600)
def fill_dataset(rows: Sequence[Job]) -> Sequence[Outcome]:
    """Put what the version's search finds into it."""
    return [_one(row) for row in rows]


def _one(row: Job) -> Outcome:
    version = DatasetVersion.objects.filter(pk=row.subject).select_related("clinic").first()
    if version is None:
        return lambda: None
    if version.is_frozen:
        return jobs.JobError("frozen", "The version was frozen meanwhile.")
    return lambda: datasets.set_members(version, datasets.entries_of(version))
