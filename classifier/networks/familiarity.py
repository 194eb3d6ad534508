"""What is needed to tell that a photo is unlike a model's training photos: a small file beside its weights, and what
its manifest says of it. Pure, no torch. The mathematics: ``classifier.metrics.familiarity``."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from classifier.metrics.familiarity import FALSE_ALARMS, FOLDS, Calibrated, Familiar, held_back, limit_of
from classifier.metrics.proportions import Proportion
from classifier.networks import beside
from classifier.networks.manifest import FAMILIARITY_FILE, Manifest, ModelRejected, write_manifest
from skinclinic.files.whole import write_whole

LARGEST_FILE = 4 * 1024 * 1024
# How unlike the mean of all features an axis may be of length 1, and of right angles.
_SQUARE = 1e-3


def to_bytes(familiar: Familiar) -> bytes:
    """The file: safetensors of mean [D], axes [K, D], variances [K] and rest [1], all float32. The limit stands in the
    manifest."""
    from safetensors.numpy import save

    return bytes(
        save(
            {
                "mean": familiar.mean,
                "axes": np.ascontiguousarray(familiar.axes),
                "variances": familiar.variances,
                "rest": np.array([familiar.rest], np.float32),
            }
        )
    )


def describe(
    content: bytes, found: Calibrated, unseen: Proportion | None = None, of: int = 0
) -> dict[str, Any]:
    """What a manifest says of it. ``unseen``: false alarms among photos that neither network nor statistics have seen,
    of ``of`` patients."""
    said = {
        "file": FAMILIARITY_FILE,
        "sha256": hashlib.sha256(content).hexdigest(),
        "limit": found.familiar.limit,
        "false_alarms": FALSE_ALARMS,
        "photos": found.photos,
        "patients": found.groups,
        "folds": FOLDS,
        "realised": _share(found.realised),
    }
    return said if unseen is None else said | {"unseen": _share(unseen) | {"patients": of}}


def limit_by_networks(
    folder: Path, manifest: Manifest, distances: np.ndarray, fold_of: np.ndarray, patients: Sequence[str]
) -> Manifest:
    """Take the limit from a cross-validation instead: ``distances`` [n] of its photos, each by the network and the
    distribution of the other folds; ``fold_of`` [n], ``patients`` [n]. The file stays as it is."""
    said = manifest.familiarity | {
        "limit": limit_of(distances),
        "folds": len(np.unique(fold_of)),
        "realised": _share(held_back(distances, fold_of, patients)),
        "networks": True,
    }
    return add(folder, manifest, read_bytes(folder), said)


def _share(found: Proportion) -> dict[str, Any]:
    return {
        "alarms": found.count,
        "photos": found.of,
        "low": None if found.low is None else round(found.low, 6),
        "high": None if found.high is None else round(found.high, 6),
    }


def add(folder: Path, manifest: Manifest, content: bytes, said: dict[str, Any]) -> Manifest:
    """Write the file into a model's folder, and what is said of it into the manifest there; return the manifest."""
    manifest = replace(manifest, familiarity=said)
    write_whole(Path(folder) / FAMILIARITY_FILE, content)
    write_manifest(folder, manifest)
    return manifest


def read(folder: Path, manifest: Manifest) -> Familiar | None:
    """What the manifest speaks of; None where it speaks of none. Raises ModelRejected."""
    if not manifest.familiarity:
        return None
    from safetensors import SafetensorError
    from safetensors.numpy import load

    content = read_bytes(folder)
    if hashlib.sha256(content).hexdigest() != manifest.familiarity["sha256"]:
        raise ModelRejected(
            "familiarity_wrong_hash",
            f"{FAMILIARITY_FILE} is not the file the manifest describes: its SHA-256 differs.",
        )
    try:
        parts = load(content)
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise _unreadable(str(error)) from error
    if set(parts) != {"mean", "axes", "variances", "rest"}:
        raise _unreadable("it must hold mean, axes, variances and rest")
    mean, axes, variances, rest = (parts[name] for name in ("mean", "axes", "variances", "rest"))
    _check(mean, axes, variances, rest)
    return Familiar(mean, axes, variances, float(rest[0]), float(manifest.familiarity["limit"]))


def _check(mean: np.ndarray, axes: np.ndarray, variances: np.ndarray, rest: np.ndarray) -> None:
    every = (mean, axes, variances, rest)
    if any(part.dtype != np.float32 or not np.isfinite(part).all() for part in every):
        raise _unreadable("its numbers must be float32 and finite")
    length = mean.size
    if mean.shape != (length,) or axes.ndim != 2 or axes.shape[1] != length or not 0 < len(axes) < length:
        raise _unreadable("mean and axes do not fit each other")
    if variances.shape != (len(axes),) or rest.shape != (1,) or (variances <= 0).any() or rest[0] <= 0:
        raise _unreadable("its variances must be one an axis and one for the rest, all above 0")
    if np.abs(axes @ axes.T - np.eye(len(axes), dtype=np.float32)).max() > _SQUARE:
        raise _unreadable("its axes are not at right angles and of length 1")


def _unreadable(why: str) -> ModelRejected:
    return ModelRejected("familiarity_unreadable", f"{FAMILIARITY_FILE} cannot be read: {why}.")


def read_bytes(folder: Path) -> bytes:
    """The file as it is. Raises ModelRejected."""
    return beside.read_bytes(
        Path(folder) / FAMILIARITY_FILE,
        LARGEST_FILE,
        missing=ModelRejected(
            "familiarity_missing",
            f"The manifest names {FAMILIARITY_FILE}, by which photos unlike the training photos are told, and the "
            "file is not there. Add it.",
        ),
        unreadable="familiarity_unreadable",
    )
