"""Whether a model's heatmaps depend on what it has learnt: checked by a job when an admin asks, kept with the model."""

from django.db import transaction

from classifier.models import ModelVersion
from skinclinic.engine import jobs
from skinclinic.models import Job, User
from skinclinic.services import audit

JOB = "check-maps"


@transaction.atomic
def ask(version: ModelVersion, user: User) -> None:
    """Have it checked, again where that failed; asking twice is harmless."""
    row = jobs.enqueue(JOB, str(version.pk), subject=version.pk, clinic=version.clinic)
    if row.state == Job.State.FAILED:
        jobs.retry(row)
    audit.record("model.check_maps", version, by=user)


def state(version: ModelVersion) -> str:
    """The state of its job, or "" where nobody has asked."""
    return Job.objects.filter(kind=JOB, key=str(version.pk)).values_list("state", flat=True).first() or ""


def store(version: ModelVersion, found: dict) -> None:
    """Keep what was found."""
    ModelVersion.objects.filter(pk=version.pk).update(map_check=found)
