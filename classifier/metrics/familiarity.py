"""Whether a photo is like those a network was trained on, by the features that the network makes of photos.

Features are taken by their direction (length 1). Of those of the training photos a normal distribution is kept whose
covariance has ``AXES`` principal axes with variances of their own and one variance for all other directions
(probabilistic principal components: Tipping and Bishop 1999, J R Stat Soc B 61:611): of 1,280 directions and a few
hundred photos the smaller variances cannot be told, and are shrunk to their mean. How unlike a photo is, is
Mahalanobis' distance from the mean. Only sums over many photos are kept, no photo's own features.

The limit comes from distances of training photos that the distribution did not see: patients are dealt into folds, and
each fold is held against the distribution of the others. It is the ⌈0.95 (n + 1)⌉-th smallest of the n distances
(Vovk, Gammerman and Shafer 2005), rounded up. Where a cross-validation has made a network for each fold, the features
are that network's, so that neither network nor distribution has seen the photo.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from classifier.metrics.proportions import Proportion, in_groups

AXES = 32
FOLDS = 5
FALSE_ALARMS = 0.05
# Fewer than these say too little of a twentieth.
LEAST_PHOTOS, LEAST_GROUPS = 100, 20
_PHOTOS_AN_AXIS = 4


def is_unlike(distances: ArrayLike) -> np.ndarray:
    """Which ``distances``, in parts of the limit (``Familiar.unlike``), are of photos unlike the training photos."""
    return np.asarray(np.greater(distances, 1))


class TooFew(ValueError):
    """Too few photos or patients to tell what is unlike them."""


@dataclass(frozen=True)
class Familiar:
    """``mean`` float32 [D] and ``axes`` float32 [K, D], at right angles and of length 1, of features of length 1;
    ``variances`` float32 [K] along them, ``rest`` that along every other direction. ``limit``: the distance above
    which a photo is unlike the training photos."""

    mean: np.ndarray
    axes: np.ndarray
    variances: np.ndarray
    rest: float
    limit: float = math.inf

    def distances(self, features: np.ndarray) -> np.ndarray:
        """Features [n, D] of any length but 0 -> distances float64 [n], at least 0."""
        full = np.asarray(features, np.float64)
        off = full / np.linalg.norm(full, axis=1, keepdims=True) - self.mean
        along = off @ self.axes.T.astype(np.float64)
        others = np.maximum(np.square(off).sum(1) - np.square(along).sum(1), 0.0)
        squared: np.ndarray = (np.square(along) / self.variances).sum(1) + others / self.rest
        found: np.ndarray = np.sqrt(squared)
        return found

    def unlike(self, features: np.ndarray) -> np.ndarray:
        """The same in parts of the limit, [n]: above 1 is unlike the training photos."""
        return self.distances(features) / self.limit


@dataclass(frozen=True)
class Calibrated:
    """``familiar`` with its limit, made of ``photos`` photos of ``groups`` patients. ``realised``: of how many of them
    it would have been a false alarm, each fold held against distribution and limit of the other folds; the interval
    heeds that photos of a patient are alike."""

    familiar: Familiar
    photos: int
    groups: int
    realised: Proportion


def fit(features: np.ndarray, axes: int = AXES) -> Familiar:
    """The distribution of features [n, D], n >= 2, without a limit; of few photos with fewer axes."""
    full = np.asarray(features, np.float64)
    units = full / np.linalg.norm(full, axis=1, keepdims=True)
    count, length = units.shape
    mean = units.mean(axis=0)
    _left, singular, right = np.linalg.svd(units - mean, full_matrices=False)
    variances = np.square(singular) / (count - 1)
    kept = max(1, min(axes, count // _PHOTOS_AN_AXIS, length - 1))
    rest = max(variances[kept:].sum() / (length - kept), np.finfo(np.float32).tiny)
    return Familiar(
        mean.astype(np.float32),
        right[:kept].astype(np.float32),
        np.maximum(variances[:kept], rest).astype(np.float32),
        float(rest),
    )


def calibrate(features: np.ndarray, groups: Sequence[str], *, seed: int = 0) -> Calibrated:
    """The distribution of features [n, D] of photos and its limit; ``groups`` [n] are patients, kept together.

    Raises TooFew.
    """
    names = sorted(set(groups))
    if len(features) < LEAST_PHOTOS or len(names) < LEAST_GROUPS:
        raise TooFew(
            f"{len(features)} photos of {len(names)} patients are too few: it takes {LEAST_PHOTOS} of {LEAST_GROUPS}."
        )
    fold_of = _folds(names, groups, seed)
    distances = np.empty(len(features))
    for fold in range(FOLDS):
        here = fold_of == fold
        distances[here] = fit(features[~here]).distances(features[here])
    familiar = replace(fit(features), limit=limit_of(distances))
    return Calibrated(familiar, len(features), len(names), held_back(distances, fold_of, groups))


def held_back(distances: np.ndarray, fold_of: np.ndarray, groups: Sequence[str]) -> Proportion:
    """How many of ``distances`` [n] pass the limit of the other folds' photos; ``fold_of`` [n], ``groups`` [n]."""
    alarms = np.empty(len(distances), bool)
    for fold in np.unique(fold_of):
        here = fold_of == fold
        alarms[here] = distances[here] > limit_of(distances[~here])
    return in_groups(alarms, groups)


def limit_of(distances: np.ndarray) -> float:
    """The limit that at most a share of ``FALSE_ALARMS`` of photos like these [n] passes; rounded up to 4 digits.
    ValueError where they are too few."""
    place = math.ceil((len(distances) + 1) * (1 - FALSE_ALARMS))
    if place > len(distances):
        raise ValueError(f"{len(distances)} distances are too few for a limit")
    return math.ceil(1e4 * float(np.sort(distances)[place - 1])) / 1e4


def _folds(names: Sequence[str], groups: Sequence[str], seed: int) -> np.ndarray:
    """The fold of each photo: groups in random order, each into the smallest fold."""
    size = {name: 0 for name in names}
    for name in groups:
        size[name] += 1
    order = [names[place] for place in np.random.default_rng(seed).permutation(len(names))]
    held = [0] * FOLDS
    fold_of = {}
    for name in order:
        fold_of[name] = held.index(min(held))
        held[fold_of[name]] += size[name]
    return np.array([fold_of[name] for name in groups])
