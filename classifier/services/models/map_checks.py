"""Whether a model's heatmaps depend on what it has learnt: what its description says of it, or else computed here by a
job, once for all copies of the same weights, and kept with each."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from django.db import transaction

from classifier.models import ModelVersion
from classifier.networks import heatmap_check
from classifier.networks.weights import WEIGHTS_FILE
from classifier.services.models import proof
from skinclinic.engine import jobs
from skinclinic.models import Job, User
from skinclinic.services import audit

JOB = "check-maps"
_DIGITS = 16


def computed(version: ModelVersion) -> dict[str, Any]:
    """What was computed here (``classifier.networks.heatmap_check``); {} for nothing, or what an older version kept in
    another form."""
    return version.map_check if heatmap_check.is_sound(version.map_check) else {}


def figures(version: ModelVersion) -> dict[str, Any]:
    """What was computed here, else what the model's description says; {} for neither."""
    return computed(version) or version.manifest.get("heatmap_check") or {}


def begin(version: ModelVersion) -> None:
    """Have it computed, unless that is known or under way; called when a model is registered and has run."""
    if not (figures(version) or _known_of_a_copy(version)):
        _queued(version)


def begin_missing() -> None:
    """The same for every model here that has run: those of older versions of the product have none."""
    for version in ModelVersion.objects.exclude(pk__in=proof.not_run()).order_by("pk"):
        begin(version)


@transaction.atomic
def ask(version: ModelVersion, user: User) -> None:
    """Have it computed at a person's wish: again where that failed, and here where only the description says it. Asking
    twice is harmless."""
    if not (computed(version) or _known_of_a_copy(version)):
        row = _queued(version)
        if row.state == Job.State.FAILED:
            jobs.retry(row)
    audit.record("model.check_maps", version, by=user)


def job(version: ModelVersion) -> Job | None:
    """The one that computes it, or none."""
    return Job.objects.filter(kind=JOB, key=_key(version.manifest)).first()


def version_of(row: Job) -> ModelVersion | None:
    """A model for which a job is to be done: the one it was asked for, or where that or its file is gone another with
    the same weights; None where none is left."""
    asked_for = ModelVersion.objects.filter(pk=row.subject).first()
    if asked_for and (asked_for.path / WEIGHTS_FILE).is_file():
        return asked_for
    copies = ModelVersion.objects.filter(weights_sha256=row.key.partition("-")[0]).order_by("pk")
    there = (one for one in copies if _key(one.manifest) == row.key and (one.path / WEIGHTS_FILE).is_file())
    return next(there, asked_for)


def store(manifest: Mapping[str, Any], found: dict[str, Any]) -> None:
    """Keep what was found with every model here of which it says the same as of the one that ``manifest`` describes."""
    key = _key(manifest)
    copies = ModelVersion.objects.filter(weights_sha256=manifest["weights_sha256"])
    same = [one.pk for one in copies if _key(one.manifest) == key]
    ModelVersion.objects.filter(pk__in=same).update(map_check=found)


@transaction.atomic
def _queued(version: ModelVersion) -> Job:
    # One that is done and of which nothing is left here was of a model that is gone.
    Job.objects.filter(kind=JOB, key=_key(version.manifest), state=Job.State.DONE).delete()
    # It is no clinic's own: each that has these weights waits for it.
    return jobs.enqueue(JOB, _key(version.manifest), subject=version.pk)


def _known_of_a_copy(version: ModelVersion) -> bool:
    """Take over what was computed of the same weights; False where nothing was."""
    found = next(filter(None, map(computed, _alike(version))), None)
    return bool(found and ModelVersion.objects.filter(pk=version.pk).update(map_check=found))


def _alike(version: ModelVersion) -> list[ModelVersion]:
    """Other versions of which it says the same, of whatever clinic."""
    others = ModelVersion.objects.filter(weights_sha256=version.weights_sha256).exclude(pk=version.pk)
    return [other for other in others.order_by("pk") if _key(other.manifest) == _key(version.manifest)]


def _key(manifest: Mapping[str, Any]) -> str:
    """What the figures follow from: weights, network, and how pictures are prepared."""
    facts = [manifest.get("architecture"), manifest.get("preprocessing")]
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
    return f"{manifest.get('weights_sha256')}-{digest[:_DIGITS]}"
