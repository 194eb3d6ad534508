"""The nearest of many feature vectors, exactly. Pure.

Vectors are compared by their direction: of unit vectors x and y the squared distance is 2 - 2 cos(x, y). Looking at all
of 200,000 vectors of 1,280 numbers is a matter of memory bandwidth (a gigabyte a search). So each is kept as a sketch
besides: its coordinates on the first principal axes and the length of what is left of it. With s, r of x and t, q of y

    |x - y|² = |s - t|² + |rest of x - rest of y|² >= |s - t|² + (r - q)²,

so what a sketch rules out is ruled out for certain, and only the few that are left are looked at in full.
"""

from collections.abc import Callable

import numpy as np

# Coordinates of a sketch: see docs/similar.md for what was measured.
LENGTH = 128
# The principal axes are those of so many vectors. Any axes at right angles give true bounds; these give near ones.
SAMPLE = 2000
# What rounding in single precision may be off.
_SLACK = 1e-5
_FIRST = 128
_MOST = 4096


def unit(vectors: np.ndarray) -> np.ndarray:
    """Vectors [n, D] of any length but 0, in any precision -> float32 [n, D] of length 1."""
    full = np.asarray(vectors, np.float32)
    scaled: np.ndarray = full / np.linalg.norm(full, axis=1, keepdims=True)
    return scaled


def likeness(squared: float) -> float:
    """The cosine of two unit vectors with this squared distance, at most 1."""
    return 1 - max(squared, 0.0) / 2


class Sketches:
    """Sketches of unit vectors float32 [n, D], in the order in which they were added. ``sample``: some of them, which
    the axes are taken from."""

    def __init__(self, sample: np.ndarray):
        self._centre = sample.mean(axis=0)
        self._axes = _principal_axes(sample[:SAMPLE] - self._centre, LENGTH)
        # Coordinates, length of the rest, squared length of all.
        self._rows = np.empty((0, self._axes.shape[1] + 2), np.float32)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, vectors: np.ndarray) -> None:
        """Add unit vectors float32 [n, D]."""
        made = self._of(vectors)
        if self._count + len(made) > len(self._rows):
            room = np.empty((max(2 * len(self._rows), self._count + len(made)), made.shape[1]), np.float32)
            room[: self._count] = self._rows[: self._count]
            self._rows = room
        self._rows[self._count : self._count + len(made)] = made
        self._count += len(made)

    def keep(self, wanted: np.ndarray) -> None:
        """Forget all but these; ``wanted``: bool [n]."""
        self._rows = self._rows[: self._count][wanted]
        self._count = len(self._rows)

    def bounds(self, query: np.ndarray) -> np.ndarray:
        """What the squared distances to a unit vector float32 [D] are at least: float32 [n]."""
        (own,) = self._of(query[None])
        # One product gives |s|² + r² - 2 s·t - 2 r q; what all have in common is added.
        factors = np.concatenate([-2 * own[:-1], np.ones(1, np.float32)])
        found: np.ndarray = self._rows[: self._count] @ factors
        found += own[-1] - _SLACK
        return found

    def _of(self, vectors: np.ndarray) -> np.ndarray:
        centred = vectors - self._centre
        coordinates = centred @ self._axes
        whole = np.square(centred).sum(axis=1)
        rest = np.sqrt(np.maximum(whole - np.square(coordinates).sum(axis=1), 0))
        return np.column_stack([coordinates, rest, whole]).astype(np.float32)


def _principal_axes(centred: np.ndarray, most: int) -> np.ndarray:
    """The first ``most`` principal axes of float32 [n, D] as columns at right angles, at most n and D of them."""
    count, length = centred.shape
    most = min(most, count, length)
    if count < length:
        # As many as there are vectors; those of length 0 are no axes.
        values, vectors = np.linalg.eigh(centred @ centred.T)
        axes = centred.T @ vectors[:, ::-1][:, :most]
        axes = axes[:, values[::-1][:most] > 1e-6 * max(float(values[-1]), 1e-12)]
        return np.asarray(np.linalg.qr(axes)[0], np.float32) if axes.size else axes
    _values, vectors = np.linalg.eigh(centred.T @ centred)
    return np.ascontiguousarray(vectors[:, ::-1][:, :most])


def search(bounds: np.ndarray, look: Callable[[np.ndarray], float]) -> int:
    """Look at places in the order of their bounds [n], until no other can be among the nearest; return at how many.

    ``look`` takes places [k] and says how far the last of the wanted is that have been found by now, infinity while
    there are too few. What lies exactly as far is looked at as well.
    """
    looked, step, limit = 0, _FIRST, float("inf")
    unseen = np.ones(len(bounds), bool)
    while True:
        left = np.flatnonzero(unseen & (bounds <= limit) if np.isfinite(limit) else unseen)
        if not len(left):
            break
        if len(left) > step:
            left = left[np.argpartition(bounds[left], step)[:step]]
        limit = look(left)
        unseen[left] = False
        looked += len(left)
        step = min(2 * step, _MOST)
    return looked
