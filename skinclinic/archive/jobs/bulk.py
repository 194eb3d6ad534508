"""The job that does one action to many photos."""

from collections.abc import Sequence

from skinclinic.archive.models import BulkChange
from skinclinic.archive.services.bulk import bulk
from skinclinic.engine import jobs, work
from skinclinic.engine.jobs import Outcome, job
from skinclinic.models import Job


@job(bulk.GATHER_JOB, on_change=work.follow(BulkChange, refused=["refused"]))
@job(bulk.JOB, on_change=work.follow(BulkChange, refused=["refused"]))
def change_many(rows: Sequence[Job]) -> Sequence[Outcome]:
    """Step by step, each of them stored with how far it is."""
    return [_one(row) for row in rows]


def _one(job: Job) -> Outcome:
    row = BulkChange.objects.select_related("clinic", "created_by").get(pk=job.subject)
    bulk.run_job(row, lambda share: jobs.progress(job, share))
    return lambda: None
