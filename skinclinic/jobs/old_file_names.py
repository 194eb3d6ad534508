"""The job that looks once at the names of files that were stored before."""

from collections.abc import Sequence

from skinclinic.engine.jobs import Outcome, job
from skinclinic.models import Job
from skinclinic.services import old_file_names


@job(old_file_names.JOB, may_be_stopped=False)
def look(rows: Sequence[Job]) -> Sequence[Outcome]:
    old_file_names.remove()
    return [lambda: None for _row in rows]
