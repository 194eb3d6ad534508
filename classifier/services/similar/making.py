"""Having a model look at proven photos that it has not looked at since features are kept: a job, which goes on where it
was, and a command."""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TypeVar

from django.db import transaction
from django.db.models import QuerySet

from classifier.models import Analysis, ModelVersion
from classifier.services.analysis import batch_analyses, features
from classifier.services.similar import bank
from skinclinic.archive.models import Entry
from skinclinic.archive.services.curating import consent
from skinclinic.engine import jobs
from skinclinic.models import Clinic, Job, Photo, User
from skinclinic.services import audit
from skinclinic.services.people import lock

JOB, ONE = "make-features", "make-features-of-photo"
_AT_ONCE = 500
_BUSY = (Job.State.QUEUED, Job.State.RUNNING)


T = TypeVar("T")


def _parts(rows: Iterable[T]) -> Iterator[list[T]]:
    remaining = iter(rows)
    while part := list(islice(remaining, _AT_ONCE)):
        yield part


def wanted(clinic: Clinic) -> QuerySet[Entry]:
    """The proven photos that may be used."""
    return bank.proven(clinic.pk).exclude(consent.missing())


@transaction.atomic
def ask(clinic: Clinic, version: ModelVersion, user: User) -> Job:
    """Have it done; while it is being done, that job."""
    lock(clinic)
    asked = Job.objects.filter(kind=JOB, clinic=clinic, subject=version.pk)
    if busy := asked.filter(state__in=_BUSY).first():
        return busy
    audit.record("model.make_features", version, clinic=clinic, by=user)
    return jobs.enqueue(JOB, f"{clinic.pk}:{version.pk}:{asked.count()}", subject=version.pk, clinic=clinic)


@transaction.atomic
def ask_for(row: Analysis, user: User) -> Job:
    """Have the model look at the square of one analysis again, whose answer stays."""
    lock(row.clinic)
    asked = Job.objects.filter(kind=ONE, clinic=row.clinic_id, subject=row.pk)
    if busy := asked.filter(state__in=_BUSY).first():
        return busy
    audit.record("model.make_features", row.model_version, clinic=row.clinic, by=user)
    return jobs.enqueue(ONE, f"{row.pk}:{asked.count()}", subject=row.pk, clinic=row.clinic)


def at_work(clinic_id: int, version: ModelVersion) -> Job | None:
    """The job that makes them now."""
    return Job.objects.filter(kind=JOB, clinic=clinic_id, subject=version.pk, state__in=_BUSY).first()


def lacking(clinic: Clinic, version: ModelVersion) -> int:
    """How many of the proven photos have no features of their current square by this model."""
    photos = Photo.objects.filter(archive_entry__in=wanted(clinic)).only(
        "box_x", "box_y", "box_size", "width", "height"
    )
    keys = photos.order_by("pk").iterator(chunk_size=_AT_ONCE)
    return sum(len(features.lacking(version, part)) for part in _parts(keys))


def make(
    clinic: Clinic,
    version: ModelVersion,
    say: Callable[[int, int], None] = lambda done, total: None,
    *,
    give_way: bool = True,
) -> list[batch_analyses.Unreadable]:
    """Make the features of all proven photos of the clinic that have none by this model; say how many of how many are
    there. Returns the photos that cannot be read. Raises weights.ModelRejected."""
    photos = list(wanted(clinic).order_by("pk").values_list("photo", flat=True))
    return batch_analyses.analyse(
        version, photos, say=lambda done: say(done, len(photos)), give_way=give_way, with_features=True
    )
