"""Which photos a model has learnt from: those of the datasets it was trained on, or those a list beside it names.

A model that began from another has seen what that was trained on, too.
"""

from dataclasses import dataclass

from classifier.models import ModelVersion
from classifier.networks import training_photos, weights
from classifier.networks.training_photos import TrainingPhoto
from classifier.networks.weights import ModelRejected
from classifier.services.training.data import training_items
from classifier.training.plan import IMAGENET, RANDOM
from skinclinic.archive.models import DatasetItem, DatasetVersion
from skinclinic.web.counts import grouped

AT_ONCE = 2000


@dataclass(frozen=True)
class Origin:
    """What a model was trained on: dataset versions of this server, and models that bring a list of their photos.

    ``unknown`` names the model or the starting weights whose training photos nobody knows; "" when all are known.
    """

    versions: tuple[DatasetVersion, ...] = ()
    listed: tuple[ModelVersion, ...] = ()
    unknown: str = ""

    def __add__(self, other: "Origin") -> "Origin":
        """What both say; where either ends in the dark, the whole does."""
        return Origin(
            tuple(dict.fromkeys((*self.versions, *other.versions))),
            tuple(dict.fromkeys((*self.listed, *other.listed))),
            self.unknown or other.unknown,
        )

    @property
    def in_words(self) -> str:
        """The datasets and lists by name."""
        lists = [
            f"{model.name}/{said['file']} ({grouped(said['photos'])})"
            for model in self.listed
            if (said := model.manifest["training_photos"])
        ]
        return ", ".join([*map(str, self.versions), *lists])


def origin(model: ModelVersion) -> Origin:
    """Follow a model to its beginning, and say where knowledge ends."""
    return _follow(model, set())


def origin_of_training(version: DatasetVersion, start: dict) -> Origin:
    """The same of a training that is not a registered model yet; ``start``: see classifier.training.record."""
    return Origin((version,)) + _before(start, set())


def _follow(model: ModelVersion, met: set[int]) -> Origin:
    met.add(model.pk)
    said = model.manifest.get("training_photos")
    if model.trained_on_version is not None:
        own = Origin((model.trained_on_version,))
    elif said:
        own = Origin(listed=(model,))
        if said["complete"]:
            return own
    else:
        return Origin(unknown=model.name)
    return own + _before(_start_of(model.manifest.get("training") or {}), met)


def _start_of(training: dict) -> dict:
    """What a training says that it began from; those of before name a model's weights only beside it."""
    base = (training.get("base") or {}).get("weights_sha256")
    return ({"weights_sha256": base} if base else {}) | (training.get("start") or {})


def _before(start: dict, met: set[int]) -> Origin:
    if start.get("init", RANDOM) in (RANDOM, IMAGENET):
        return Origin()
    known = ModelVersion.objects.filter(weights_sha256=start.get("weights_sha256") or None).first()
    if known is None:
        return Origin(unknown=str(start["init"]))
    return Origin() if known.pk in met else _follow(known, met)


def list_of(model: ModelVersion) -> list[TrainingPhoto]:
    """The photos that the list beside a model names. Raises ModelRejected where it is gone or another file."""
    return training_photos.read(model.path, weights.read_manifest(model.path))


def photos_of(found: Origin) -> tuple[list[TrainingPhoto], bool]:
    """The hashes of all photos of an origin, and whether they are all there are: what a model takes with it."""
    photos: list[TrainingPhoto] = []
    is_complete = not found.unknown
    for version in found.versions:
        known = training_items(version).exclude(content_sha256__startswith=DatasetItem.WITHDRAWN)
        rows = known.values_list("content_sha256", "entry__photo__sha256", "phash")
        photos += [
            TrainingPhoto(content, upload or "", phash)
            for content, upload, phash in rows.order_by("pk").iterator(AT_ONCE)
        ]
    for model in found.listed:
        try:
            photos += list_of(model)
        except ModelRejected:
            is_complete = False
    return photos, is_complete
