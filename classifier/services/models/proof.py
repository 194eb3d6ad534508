"""A model of a clinic is run once, on drawings, before it is one: what only fails while it computes would otherwise
fail with every patient's photo.

Commands and trainings run it themselves (classifier.analysing.proving). What is sent to a page or the API is run by a
worker, for the web may not have what networks need; until then the clinic sees it and can do nothing with it, and one
that fails is removed again, with the reason told on the page Models.
"""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial

from django.db import transaction
from django.db.models import ProtectedError, QuerySet
from django.utils import timezone

from classifier.models import Analysis, ModelVersion, Publication
from classifier.networks.weights import ModelRejected
from skinclinic.engine import jobs
from skinclinic.files import whole
from skinclinic.models import Clinic, Job
from skinclinic.services import audit

JOB = "prove-model"
# What another try may mend.
_AGAIN = {"worker_died", "out_of_memory"}
# What is the model's own fault, and not the server's.
_ITS_OWN = {
    "does_not_compute", "no_pooled_end", "scores_not_finite", "unknown_architecture", "weights_do_not_fit",
    "weights_incomplete", "weights_not_finite", "weights_not_floating", "weights_overlap", "wrong_outputs",
    "wrong_parameters",
}  # fmt: skip
_TOLD_FOR, _MOST_TOLD = timedelta(days=14), 10


def ask(version: ModelVersion) -> Job:
    """Have the model run; asking twice is harmless."""
    return jobs.enqueue(JOB, str(version.pk), subject=version.pk, clinic=version.clinic)


def not_run() -> QuerySet:
    """Primary keys of the versions that were sent here and have not run yet, as a query."""
    return Job.objects.filter(kind=JOB).exclude(state=Job.State.DONE).values("subject")


def follow(rows: Sequence[Job]) -> None:
    """Remove the models that failed by their own fault and are used by nothing, in the transaction that says so."""
    for row in rows:
        if row.state != Job.State.FAILED or row.error_code not in _ITS_OWN:
            continue
        version = ModelVersion.objects.filter(pk=row.subject).first()
        if version is None or _has_run(version):
            continue
        name, folder = version.name, version.path
        try:
            with transaction.atomic():
                audit.record(
                    "model.refuse", version, reason=row.error[:200], facts={"weights": version.weights_sha256}
                )
                version.delete()
        except ProtectedError:
            continue
        Job.objects.filter(pk=row.pk).update(error=f"{name}: {row.error}")
        transaction.on_commit(partial(whole.remove, folder))


def refused(clinic: Clinic, pk: int | None = None) -> list[ModelRejected]:
    """Why models were removed lately that do not run, each message beginning with the model's name; the newest first.
    ``pk``: only the one that had this primary key."""
    rows = Job.objects.filter(
        kind=JOB, clinic=clinic, state=Job.State.FAILED, error_code__in=_ITS_OWN,
        finished_at__gte=timezone.now() - _TOLD_FOR,
    ).exclude(subject__in=ModelVersion.objects.filter(clinic=clinic).values("pk"))  # fmt: skip
    if pk is not None:
        rows = rows.filter(key=str(pk))
    return [ModelRejected(row.error_code, row.error) for row in rows.order_by("-finished_at")[:_MOST_TOLD]]


def obstacle(version: ModelVersion) -> ModelRejected | None:
    """Why the model may not be published yet, or none."""
    row = _job(version)
    if row is None and _has_run(version):
        return None
    if row is None or row.state in (Job.State.QUEUED, Job.State.RUNNING):
        return ModelRejected(
            "not_run_yet",
            "The model is being run on a test photo first, to see that it works here. Try again in a moment.",
        )
    if row.state == Job.State.DONE or _has_run(version):
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
