"""Trying the model on a photo without a patient record: limited in number, gone within the hour."""

import secrets
from datetime import timedelta

import numpy as np
from django.db import transaction
from django.db.models.functions import Now
from django.utils.crypto import salted_hmac

from classifier.models import TryRun
from classifier.services.analysis.analyses import NoModel
from classifier.services.models import registry
from skinclinic import imaging
from skinclinic.engine import jobs
from skinclinic.engine.housekeeping import broom
from skinclinic.files import store
from skinclinic.models import Clinic, Job
from skinclinic.services import decoding

JOB = "try"
KEPT_FOR = timedelta(hours=1)


def sender_of(user, address: str) -> str:
    """A keyed hash that stands for the account or, signed out, the address; neither can be read from it."""
    who = f"user {user.pk}" if user.is_authenticated else f"address {address}"
    return salted_hmac("classifier.trials", who, algorithm="sha256").hexdigest()


def start(clinic: Clinic, *, sender: str, data: bytes) -> TryRun:
    """Store the photo for an hour and queue it. Raises NoModel, imaging.PhotoRejected, decoding.Busy,
    StorageFull."""
    version = registry.published(clinic)
    if version is None:
        raise NoModel
    accepted = decoding.accept(data, sender=sender)
    box = imaging.largest_centred_square(accepted.width, accepted.height)
    key = store.save("try", accepted.jpeg)
    token = secrets.token_urlsafe(32)
    try:
        with transaction.atomic():
            made = TryRun.objects.create(
                token=token,
                model_version=version,
                job=jobs.enqueue(JOB, token),
                file_key=key,
                width=accepted.width,
                height=accepted.height,
                box_x=box.x,
                box_y=box.y,
                box_size=box.size,
                notes=list(accepted.notes),
                sender=sender,
            )
            # By the clock that the sweep goes by.
            TryRun.objects.filter(pk=made.pk).update(created_at=Now())
            return made
    except BaseException:
        store.delete(key)
        raise


def find(token: str) -> TryRun | None:
    """The run of a token, if its hour is not over."""
    alive = TryRun.objects.filter(created_at__gte=Now() - KEPT_FOR)
    # PostgreSQL takes no NUL, and such an address is nobody's.
    if "\x00" in token:
        return None
    return alive.filter(token=token).select_related("job", "model_version").first()


def store_outcome(trial: TryRun, outcome) -> None:
    """Store a pipeline.Outcome, unless the run was deleted meanwhile."""
    TryRun.objects.filter(pk=trial.pk).update(
        result={
            "scores": {key: round(float(score), 8) for key, score in outcome.scores.items()},
            "background": float(outcome.background),
            "quality": outcome.quality.to_json(),
            "unlike": outcome.unlike,
            "runtime": outcome.computed.runtime,
            "precision": outcome.computed.precision,
            "maps": np.round(outcome.maps.astype(float), 4).tolist(),
        }
    )


def delete(trial: TryRun) -> None:
    """Remove the photo, its result and its job."""
    with transaction.atomic():
        trial.delete()
        if trial.job_id:
            Job.objects.filter(pk=trial.job_id).delete()
        transaction.on_commit(lambda: store.delete(trial.file_key))


@broom
def delete_expired() -> None:
    for trial in TryRun.objects.filter(created_at__lt=Now() - KEPT_FOR)[:500]:
        delete(trial)
