"""Squares of a photo that the model in use suggests: asked for and chosen by people, computed by a light job.

None is ever chosen by itself: as the first square they lose against the middle of the photo (``docs/squares.md``).
"""

from dataclasses import dataclass, field

from django.db import transaction
from django.utils.translation import gettext as _

from classifier.models import ModelVersion, SuggestedSquares
from classifier.runtimes.base import Computed
from classifier.services.models import registry
from skinclinic.engine import jobs
from skinclinic.imaging import Box, BoxRejected
from skinclinic.models import Job, Photo, User
from skinclinic.services import audit
from skinclinic.services.cases import hold_lesion_of
from skinclinic.services.covering import same_picture
from skinclinic.services.refused import Refused

JOB = "suggest-squares"
# Of a job whose photo is gone, or was covered while it was looked at.
DELETED, CHANGED = "photo_deleted", "photo_changed"
NOT_ASKED, WAITING, DONE, FAILED = "not_asked", "waiting", "done", "failed"
STATES = (NOT_ASKED, WAITING, DONE, FAILED)


@dataclass(frozen=True)
class Suggestion:
    """Where the suggestions for a photo stand (one of ``STATES``), by which model; ``boxes``, the likeliest first, when
    they are done; ``job`` that makes them, or failed to."""

    state: str
    model: ModelVersion | None = None
    boxes: list[Box] = field(default_factory=list)
    job: Job | None = None


def of(photo: Photo) -> Suggestion:
    """The suggestions of the clinic's model for a photo as it is stored now."""
    version = registry.published(photo.clinic)
    if version is None:
        return Suggestion(NOT_ASKED)
    if row := SuggestedSquares.objects.filter(photo=photo, model_version=version).first():
        return Suggestion(DONE, version, row.boxes)
    job = Job.objects.filter(kind=JOB, key=_key(photo, version)).first()
    if job is None:
        return Suggestion(NOT_ASKED, version)
    # One that is over without a row was undone by a cover.
    states = {Job.State.FAILED: FAILED, Job.State.DONE: NOT_ASKED}
    return Suggestion(states.get(Job.State(job.state), WAITING), version, job=job)


@transaction.atomic
def ask(photo: Photo, user: User) -> Suggestion:
    """Have the clinic's model suggest squares; asking twice is asking once; what failed is tried again.

    Whether the person may change the photo is the caller's to ask. Raises Refused.
    """
    if hold_lesion_of(photo) is None:
        raise Refused("", _("The photo was deleted."))
    version = registry.published(photo.clinic)
    if version is None:
        raise Refused("", _("There is no model yet. An admin adds and publishes one on the page Models."))
    found = of(photo)
    if found.state in (NOT_ASKED, FAILED):
        job = jobs.enqueue(JOB, _key(photo, version), subject=photo.pk, clinic=photo.clinic)
        jobs.retry(job)
        audit.record("squares.suggest", photo, by=user)
        found = of(photo)
    return found


def _key(photo: Photo, version: ModelVersion) -> str:
    """Another file is another photo: it was covered meanwhile."""
    return f"{photo.pk}:{version.pk}:{photo.file_key}"


def version_of(job: Job) -> ModelVersion | None:
    """The model that a job is to ask."""
    return ModelVersion.objects.filter(pk=int(job.key.split(":")[1])).first()


def store(photo: Photo, version: ModelVersion, boxes: list[Box], computed: Computed) -> None:
    """Keep what was computed of this stored file. Raises JobError where the photo was deleted or covered meanwhile."""
    if hold_lesion_of(photo) is None:
        raise jobs.JobError(DELETED, "The photo was deleted.")
    if not Photo.objects.filter(pk=photo.pk, file_key=photo.file_key).exists():
        raise jobs.JobError(CHANGED, "Part of the photo was covered meanwhile. Ask again.")
    SuggestedSquares.objects.update_or_create(
        photo=photo,
        model_version=version,
        defaults={
            "clinic_id": photo.clinic_id,
            "squares": [[box.x, box.y, box.size] for box in boxes],
            "runtime": computed.runtime[:120],
            "precision": computed.precision,
        },
    )


def chosen(photo: Photo, number: object, model: object = None) -> Box:
    """The suggested square of this number (1 is the likeliest), by the model of this name where one is said. Raises
    imaging.BoxRejected where there is none."""
    found = of(photo)
    is_others = model is not None and (found.model is None or found.model.name != model)
    boxes = [] if is_others else found.boxes
    try:
        place = int(str(number))
    except ValueError:
        place = 0
    if not 1 <= place <= len(boxes):
        raise BoxRejected("no_such_suggestion")
    return boxes[place - 1]


def chosen_by_button(photo: Photo, value: str) -> Box:
    """The same of what a button of the page sends: the number and the key of the model that suggested it, since another
    may be in use by then, which suggests others."""
    number, _colon, model = value.partition(":")
    version = of(photo).model
    if model and (version is None or model != str(version.pk)):
        raise BoxRejected("no_such_suggestion")
    return chosen(photo, number)


def number_of(photo: Photo, version: ModelVersion) -> int | None:
    """Which of the squares that this model suggested, for this photo or another of the same picture, is the photo's
    square now; None where it is none of them."""
    rows = SuggestedSquares.objects.filter(model_version=version, photo__in=same_picture(photo))
    return next((row.boxes.index(photo.box) + 1 for row in rows if photo.box in row.boxes), None)
