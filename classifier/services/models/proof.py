"""A model of a clinic is run once, on drawings, before it can be published: what only fails while it computes would
otherwise fail with every patient's photo."""

from django.db import transaction

from classifier.models import Analysis, ModelVersion, Publication
from classifier.networks.weights import ModelRejected
from skinclinic.engine import jobs
from skinclinic.models import Job

JOB = "prove-model"
# What another try may mend.
_AGAIN = {"worker_died", "out_of_memory"}


def ask(version: ModelVersion) -> Job:
    """Have the model run; asking twice is harmless."""
    return jobs.enqueue(JOB, str(version.pk), subject=version.pk, clinic=version.clinic)


def obstacle(version: ModelVersion) -> ModelRejected | None:
    """Why the model may not be published yet, or none."""
    if _has_run(version):
        return None
    row = _job(version)
    if row is None or row.state in (Job.State.QUEUED, Job.State.RUNNING):
        return ModelRejected(
            "not_run_yet",
            "The model is being run on a test photo first, to see that it works here. Try again in a moment.",
        )
    if row.state == Job.State.DONE:
        return None
    return ModelRejected("does_not_run", f"The model was run on a test photo and failed: {row.error}")


def check(version: ModelVersion) -> None:
    """Raise ModelRejected for a model that has not run yet, or failed; one that was never asked is asked now."""
    if not (why := obstacle(version)):
        return
    with transaction.atomic():
        row = _job(version) or ask(version)
        if row.state == Job.State.FAILED and row.error_code in _AGAIN:
            jobs.retry(row)
    raise why


def _job(version: ModelVersion) -> Job | None:
    return Job.objects.filter(kind=JOB, key=str(version.pk)).first()


def _has_run(version: ModelVersion) -> bool:
    """Whether there is nothing to prove: it came with the product, was trained or is used here."""
    return (
        version.clinic_id is None
        or version.trained_on_version_id is not None
        or Publication.objects.filter(model_version=version).exists()
        or Analysis.objects.filter(model_version=version, job__state=Job.State.DONE).exists()
    )
