"""The job that computes how the model in use fares."""

from collections.abc import Sequence

from classifier.models import Monitor
from classifier.services.following import due
from skinclinic.engine import jobs
from skinclinic.models import Job


@jobs.job(due.JOB, transient=(MemoryError, TimeoutError), queue=jobs.BATCH)
def follow_model(rows: Sequence[Job]) -> Sequence[jobs.Outcome]:
    """Count new proven cases, raise alarms, compute the page. What it stores before it ends it stores once."""
    (row,) = rows
    found = (
        Monitor.objects.filter(pk=row.subject)
        .select_related("clinic", "model_version", "threshold_set")
        .first()
    )
    if found is not None:
        due.run(found)
    return [lambda: None]
