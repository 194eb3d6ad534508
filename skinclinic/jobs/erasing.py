"""The job that removes what an erased patient leaves in files and texts."""

from collections.abc import Sequence
from functools import partial

from skinclinic.engine.jobs import Outcome, job
from skinclinic.models import Erasure, Job
from skinclinic.services.erasing import afterwards, erase


@job(erase.JOB, transient=(OSError,), may_be_stopped=False)
def finish(rows: Sequence[Job]) -> Sequence[Outcome]:
    return [_finish(row) for row in rows]


def _finish(row: Job) -> Outcome:
    erasure = Erasure.objects.filter(pk=row.subject).first()
    if erasure is None:
        return lambda: None
    afterwards.finish(erasure)
    afterwards.forget_deleted_rows()
    return partial(afterwards.note_done, erasure)
