"""What trainings, models and evaluations hold of a patient who is erased: hashes of photos, and names of photos in the
files of evaluations. What was learnt and measured stands."""

import json
from collections.abc import Iterator

import numpy as np
from django.conf import settings

from classifier.models import Evaluation, ModelVersion, Training
from classifier.networks import training_photos, weights
from classifier.networks.weights import ModelRejected
from classifier.services.evaluation.kept import arrays as kept_arrays
from classifier.services.evaluation.run import LEAKS, SCORES
from classifier.services.training.withdrawal import of_items
from skinclinic.archive.models import DatasetItem
from skinclinic.archive.services.datasets.erasing import ITEMS, VERSIONS, items_of
from skinclinic.files import whole
from skinclinic.models import Erasure, User
from skinclinic.services.consent import Effect
from skinclinic.services.erasing import places
from skinclinic.services.erasing.taken import Taken
from skinclinic.services.erasing.trace import Trace

TRAININGS = "trainings"


@places.on_erase
def in_models(taken: Taken, user: User | None, act: bool) -> Iterator[Effect]:
    """Trainings stop, evaluations leave the photos out; models that learnt from them are told by name."""
    items = DatasetItem.objects.filter(pk__in=taken.trace.elsewhere.get(ITEMS, ())) | items_of(taken)
    versions = [pk for pk, _sha256 in taken.trace.elsewhere.get(VERSIONS, ())]
    trainings = Training.objects.filter(dataset_version__in=versions)
    taken.trace.elsewhere[TRAININGS] = sorted(trainings.values_list("pk", flat=True))
    yield from of_items(items.order_by(), act)


@places.afterwards
def of_trainings(erasure: Erasure, trace: Trace) -> None:
    """What a training that has not ended keeps: paths and hashes of its photos. It could not go on without them."""
    for pk in trace.elsewhere.get(TRAININGS, ()):
        whole.remove(settings.SKINCLINIC_HOME / "training" / str(pk))


@places.afterwards
def of_models(erasure: Erasure, trace: Trace) -> None:
    """Hashes of the photos a model was trained on, which lie beside it."""
    for model in ModelVersion.objects.filter(clinic=erasure.clinic_id):
        if not model.manifest.get("training_photos"):
            continue
        try:
            manifest = weights.read_manifest(model.path)
            photos = training_photos.read(model.path, manifest)
        except ModelRejected:
            continue
        kept = [
            photo for photo in photos
            if not (trace.knows_hash(photo.content_sha256) or trace.knows_hash(photo.upload_sha256))
        ]  # fmt: skip
        if len(kept) < len(photos):
            is_complete = manifest.training_photos["complete"]
            changed = training_photos.add(model.path, manifest, kept, is_complete=is_complete)
            ModelVersion.objects.filter(pk=model.pk).update(
                manifest=model.manifest | {"training_photos": changed.training_photos}
            )


@places.afterwards
def of_evaluations(erasure: Erasure, trace: Trace) -> None:
    """Names of photos in the files of evaluations; their figures stay."""
    items = np.array(trace.elsewhere.get(ITEMS, ()), np.int64)
    for row in Evaluation.objects.filter(clinic=erasure.clinic_id):
        leaks, scores = row.folder / LEAKS, row.folder / SCORES
        if leaks.is_file():
            before = json.loads(leaks.read_text(encoding="utf-8"))
            after = [_without_names(one, trace) for one in before]
            if after != before:
                whole.write_whole(leaks, json.dumps(after, ensure_ascii=False))
        if items.size and scores.is_file():
            with np.load(scores, allow_pickle=False) as kept:
                arrays = {name: kept[name] for name in kept.files}
            if _without_items(arrays, items):
                with whole.whole_file(scores) as file:
                    np.savez_compressed(file, **arrays)
                # Worked out anew from these.
                for path in kept_arrays.files(row):
                    path.unlink(missing_ok=True)


def _without_names(one: dict, trace: Trace) -> dict:
    models = [
        {
            **model,
            "rows": [{key: trace.without(value) for key, value in row.items()} for row in model["rows"]],
        }
        for model in one["models"]
    ]
    return {**one, "models": models}


def _without_items(arrays: dict[str, np.ndarray], items: np.ndarray) -> bool:
    """Blank what names these photos; whether anything did."""
    found = False
    for name in [name for name in arrays if name.endswith("_items")]:
        dataset = name.removesuffix("_items")
        gone = np.isin(arrays[name], items) & (arrays[f"{dataset}_photos"] != 0)
        if gone.any():
            found = True
            arrays[f"{dataset}_photos"][gone] = 0
            arrays[f"{dataset}_names"][gone] = ""
    return found
