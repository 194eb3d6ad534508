"""The daily job that takes what a clinic keeps for a while only."""

from collections.abc import Sequence

from skinclinic.engine.jobs import Outcome, job
from skinclinic.models import Clinic, Job
from skinclinic.services import retention


@job(retention.JOB, transient=(OSError,), may_be_stopped=False)
def run(rows: Sequence[Job]) -> Sequence[Outcome]:
    return [_run(row) for row in rows]


def _run(row: Job) -> Outcome:
    if clinic := Clinic.objects.filter(pk=row.subject).first():
        retention.run(clinic)
    return lambda: None
