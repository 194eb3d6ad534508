"""From crops of photos to scores, heatmaps and a differential diagnosis."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from classifier.metrics.listing import listed
from classifier.networks.cam import to_heatmaps
from classifier.networks.preprocess import Preprocessing, to_array
from classifier.runtimes.base import Computed, Runtime
from skinclinic.imaging.quality import Quality, assess


class NonFiniteScores(ValueError):
    """The network's answer is not a number; nothing of it may be shown."""


@dataclass(frozen=True)
class Outcome:
    """What a model says of one crop.

    ``scores``: disease key -> probability, in the fixed order; with ``background``, the probability of
    "not among these 12", they sum to 1. ``maps``: float16 [12, h, w], heatmaps in [0, 1] in the same order.
    ``features``: float16 [D], what the network's last linear layer was given (``classifier.networks.network.pooled``),
    in its own units; None where they are no numbers in half precision or all 0, so that nothing is near to them.
    ``unlike``: how far the photo is from the model's training photos, in parts of the limit: above 1 it is unlike them
    (``classifier.metrics.familiarity``); None where the model does not say what they are like, or without features.
    ``forward_seconds``: the crop's share of the time in the network. ``computed``: by which library, how finely.
    """

    scores: dict[str, float]
    background: float
    maps: np.ndarray
    quality: Quality
    forward_seconds: float
    computed: Computed
    features: np.ndarray | None = None
    unlike: float | None = None


@dataclass(frozen=True)
class Prepared:
    """A crop ready for the network: float32 [3, S, S], and how fit it is to be judged."""

    image: np.ndarray
    quality: Quality


def prepare(crop: Image.Image, preprocessing: Preprocessing) -> Prepared:
    """Resize and normalise a square RGB crop; all that can be done before the network is free."""
    return Prepared(to_array(crop, preprocessing), assess(crop))


def analyse(runtime: Runtime, crops: Sequence[Image.Image]) -> list[Outcome]:
    """Analyse square RGB crops of any size, in order. Raises NonFiniteScores if any answer is not finite."""
    return analyse_prepared(runtime, [prepare(crop, runtime.manifest.preprocessing) for crop in crops])


def analyse_prepared(runtime: Runtime, prepared: Sequence[Prepared]) -> list[Outcome]:
    """Analyse prepared crops, in order. Raises NonFiniteScores if any answer is not finite."""
    if not prepared:
        return []
    manifest = runtime.manifest
    batch = np.stack([one.image for one in prepared])
    start = time.perf_counter()
    probabilities, maps, features = runtime.answer(batch)
    forward_seconds = (time.perf_counter() - start) / len(prepared)
    if not (np.isfinite(probabilities).all() and np.isfinite(maps).all()):
        raise NonFiniteScores(f"The model {manifest.name} gave scores that are not finite numbers.")
    diseases = len(manifest.disease_keys)
    heatmaps = to_heatmaps(maps[:, :diseases])
    vectors = [_kept(vector) for vector in features]
    return [
        Outcome(
            scores=dict(zip(manifest.disease_keys, map(float, row[:diseases]), strict=True)),
            background=float(row[diseases:].sum()),
            maps=heatmap,
            quality=one.quality,
            forward_seconds=forward_seconds,
            computed=runtime.computed,
            features=vector,
            unlike=_unlike(runtime, vector),
        )
        for row, heatmap, one, vector in zip(probabilities, heatmaps, prepared, vectors, strict=True)
    ]


def _kept(features: np.ndarray) -> np.ndarray | None:
    """Features float32 [D] in half precision; None where nothing can be near to them."""
    with np.errstate(over="ignore"):
        halved: np.ndarray = features.astype(np.float16)
    return halved if np.isfinite(halved).all() and halved.any() else None


def _unlike(runtime: Runtime, vector: np.ndarray | None) -> float | None:
    if runtime.familiar is None or vector is None or len(vector) != len(runtime.familiar.mean):
        return None
    (found,) = runtime.familiar.unlike(vector[None])
    return float(found) if np.isfinite(found) else None


def differential(scores: Mapping[str, float], thresholds: Mapping[str, float]) -> list[dict[str, Any]]:
    """Return the listed diseases as disease, score, threshold; likeliest first."""
    return [
        {"disease": key, "score": scores[key], "threshold": thresholds[key]}
        for key in listed(scores, thresholds)
    ]
