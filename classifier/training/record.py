"""What a trained model says of itself."""

import platform
from collections import Counter
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
import torch

from classifier.networks.manifest import Manifest
from classifier.training.plan import RANDOM, Plan, Sample, fingerprint, photos_fingerprint
from classifier.training.today import today
from classifier.training.trainer import Progress
from classifier.training.world import World
from skinclinic.vocabulary.diseases import DISEASE_KEYS

LIBRARIES = (
    "torch",
    "torchvision",
    "timm",
    "numpy",
    "pillow",
    "opencv-python-headless",
    "safetensors",
)
INTENDED_USE = (
    "To support a dermatologist's differential diagnosis of photos like those it was trained on, once it was "
    "evaluated for that. It does not diagnose."
)


def write_manifest(
    about: dict[str, Any],
    plan: Plan,
    samples: Sequence[Sample],
    validates: np.ndarray,
    start: dict[str, Any],
    progress: Progress,
    world: World,
    *,
    maps: str = "",
) -> Manifest:
    """Return the manifest of a finished training. ``about``: name, group, run, runs, dataset, base,
    sources. ``maps``: see Manifest.
    """
    trained = [sample for sample, out in zip(samples, validates, strict=True) if not out]
    validating = [sample for sample, out in zip(samples, validates, strict=True) if out]
    return Manifest(
        name=about["name"],
        architecture=plan.architecture,
        background_classes=plan.background,
        preprocessing=plan.preprocessing,
        trained_on=_trained_on(about, plan, trained, start),
        trained_at=today(),
        validated_on=_validated_on(about, plan, validating, progress),
        licence=_licence(about),
        intended_use=INTENDED_USE,
        limits=_limits(plan, trained),
        maps=maps,
        training={
            "group": about["group"],
            "run": about["run"],
            "runs": about["runs"],
            "dataset": about["dataset"],
            "base": about.get("base", {}),
            "photos": _photos(plan, trained),
            "validation": _photos(plan, validating),
            "photos_sha256": photos_fingerprint(samples),
            "identity": fingerprint(plan, samples),
            "start": start,
            "plan": {**plan.to_json(), "init": start["init"]},
            "curves": progress.curves,
            "steps": progress.step,
            "resumed": progress.resumed,
            "minutes": round(progress.seconds / 60, 2),
            "photos_a_second": round(progress.photos_a_second, 2),
            "device": _device(world),
            "precision": str(world.half or torch.float32).removeprefix("torch."),
            "libraries": _libraries(),
        },
    )


def _photos(plan: Plan, samples: Sequence[Sample]) -> dict[str, Any]:
    return {
        "count": len(samples),
        "patients": len({sample.group for sample in samples}),
        "labels": _counts(plan, samples),
    }


def _counts(plan: Plan, samples: Sequence[Sample]) -> dict[str, int]:
    counts = Counter(sample.label for sample in samples)
    return {plan.label_name(label): counts[label] for label in sorted(counts)}


def _in_words(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items())


def _trained_on(about: dict[str, Any], plan: Plan, samples: Sequence[Sample], start: dict[str, Any]) -> str:
    dataset = about["dataset"]
    before = (
        "Its weights were random before." if start["init"] == RANDOM else f"Before that, {start['init']}."
    )
    return (
        f"{len(samples)} photos of {len({sample.group for sample in samples})} patients of the dataset "
        f"{dataset['name']}, version {dataset['version']}: {_in_words(_counts(plan, samples))}. {before}"
    )


def _validated_on(
    about: dict[str, Any], plan: Plan, samples: Sequence[Sample], progress: Progress
) -> dict[str, Any]:
    last = progress.curves[-1] if progress.curves else {}
    if last.get("macro_auc") is None:
        return {"text": "Not validated.", "cohorts": []}
    dataset = about["dataset"]
    counts = _counts(plan, samples)
    return {
        "text": (
            "Patients of the training dataset who were left out of training; nothing was chosen by their photos. "
            "Mean of the one-vs-rest AUCs of the diseases that occur among them. Few patients and the same source: "
            "evaluate it on other datasets before use."
        ),
        "cohorts": [
            {
                "name": f"{dataset['name']}, version {dataset['version']}, patients left out",
                "n": len(samples),
                "auc": last["macro_auc"],
                "auc_by_disease": last["auc"],
                "positives": {key: counts[key] for key in last["auc"]},
            }
        ],
    }


def _licence(about: dict[str, Any]) -> str:
    sources = [
        f"{source['name']} ({source['licence']})" if source.get("licence") else source["name"]
        for source in about.get("sources", ())
    ]
    return f"Trained on photos of {', '.join(sources)}." if sources else ""


def _limits(plan: Plan, samples: Sequence[Sample]) -> str:
    known = {sample.label for sample in samples}
    unknown = [key for label, key in enumerate(DISEASE_KEYS) if label not in known]
    parts = []
    if unknown:
        parts.append(
            f"It has seen no photo of {', '.join(unknown)}, so it cannot recognise them and will take them for "
            "something else."
        )
    if not plan.background:
        parts.append("It knows no other disease than the 12 and cannot say that a photo shows none of them.")
    return " ".join(parts)


def _device(world: World) -> str:
    if world.device.type == "cuda":
        name = torch.cuda.get_device_name(world.device)
        return f"{world.size} × {name}" if world.size > 1 else name
    return f"CPU ({platform.machine()}), {world.size} × {torch.get_num_threads()} threads"


def _libraries() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
