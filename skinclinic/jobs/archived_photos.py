"""The job that marks photos of archives which were stored before that was said of photos."""

from collections.abc import Sequence

from skinclinic.engine.jobs import Outcome, job
from skinclinic.models import Job
from skinclinic.services import archived_photos


@job(archived_photos.JOB, may_be_stopped=False)
def mark(rows: Sequence[Job]) -> Sequence[Outcome]:
    archived_photos.mark()
    return [lambda: None for _row in rows]
