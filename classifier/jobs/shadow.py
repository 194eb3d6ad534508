"""The job of a candidate in the shadow."""

from collections.abc import Sequence

from classifier.models import Shadow
from classifier.services.shadow import computing
from skinclinic.engine import jobs
from skinclinic.engine.jobs import JobError
from skinclinic.models import Job


@jobs.job(computing.JOB, transient=(MemoryError, TimeoutError), queue=jobs.BATCH)
def shadow(rows: Sequence[Job]) -> Sequence[jobs.Outcome]:
    """Compute some of what waits and the figures; what it has stored stays when this is killed."""
    from classifier.networks.weights import ModelRejected

    (row,) = rows
    found = Shadow.objects.filter(pk=row.subject).select_related("clinic", "model_version", "in_use").first()
    if found is None:
        return [lambda: None]
    try:
        computing.run(found, lambda share: jobs.progress(row, min(share, 1.0)))
    except ModelRejected as error:
        return [JobError(error.code, error.message)]
    return [lambda: None]
