"""Finding hashes that differ in few bits without comparing all pairs. Pure numpy; nothing here knows Django.

Multi-index hashing (Norouzi, Punjani and Fleet 2012): 64 bits are cut into four bands of 16. Two hashes at a
distance of at most 7 share a band to within one bit (4 bands × 2 bits would already be 8), so only hashes
whose band is equal or one flip away are compared in full. A pair that meets in several bands counts in the
first.

The hash of a photo is ``imaging/likeness.py``; what counts as alike, and what a curator says of a pair, is
``services/curating/duplicates.py``.
"""

from collections.abc import Iterable, Iterator

import numpy as np

MOST_DISTANCE = 7
_BANDS, _BAND_BITS = 4, 16
_FLIPS = (0, *(1 << bit for bit in range(_BAND_BITS)))
_CHUNK = 1_000_000


def pairs(
    hashes: np.ndarray, max_distance: int, most_each: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """All pairs at a Hamming distance of at most ``max_distance`` bits (0 to 7), nearest first.

    ``hashes``: int64 or uint64[N]. ``most_each``: pair each hash with at most so many before it, the nearest
    and of equally near ones the first; so no hash that is like an earlier one is left without a pair, and
    thousands of equal hashes do not make millions of pairs. Returns int64[M, 2] of indices (first < second)
    and int64[M] of distances. Raises ValueError for a distance that the bands cannot promise to find.
    """
    if not 0 <= max_distance <= MOST_DISTANCE:
        raise ValueError(f"a distance from 0 to {MOST_DISTANCE} can be searched")
    hashes = np.ascontiguousarray(hashes).view(np.uint64)
    searched, repeats = np.arange(len(hashes)), np.empty((0, 2), np.int64)
    if most_each is not None:
        searched, repeats = _without_repeats(hashes, most_each)
    found = _Nearest(most_each, len(hashes))
    for low, high, distances in _near(hashes[searched], max_distance):
        found.add(searched[low], searched[high], distances)
    low, high, distances = found.result()
    indices = np.concatenate([np.stack([low, high], axis=1), repeats])
    distances = np.concatenate([distances, np.zeros(len(repeats), np.int64)])
    order = np.lexsort((indices[:, 1], indices[:, 0], distances))
    return indices[order], distances[order]


def _without_repeats(hashes: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray]:
    """The hashes that have fewer than ``most`` equal ones before them; and the pairs of all others with the
    first ``most`` equal ones, which leave them room for no other."""
    order = np.argsort(hashes, kind="stable")
    is_start = np.r_[True, hashes[order][1:] != hashes[order][:-1]] if len(order) else np.empty(0, bool)
    starts = np.flatnonzero(is_start)[np.cumsum(is_start) - 1]
    repeated = np.arange(len(order)) - starts >= most
    firsts = order[(starts[repeated][:, None] + np.arange(most)).ravel()]
    pairs = np.stack([firsts, np.repeat(order[repeated], most)], axis=1)
    return np.sort(order[~repeated]), pairs


class _Nearest:
    """Pairs as they are found; of each higher index only the ``most`` nearest are kept."""

    def __init__(self, most: int | None, size: int):
        self.most, self.size = most, max(size, 1)
        # A pair is its higher index and its rank there: the distance, then the lower index, as one number.
        self.parts = [(np.empty(0, np.int64), np.empty(0, np.int64))]
        self.count, self.limit = 0, _CHUNK
        self.worst = np.full(size, np.iinfo(np.int64).max)

    def add(self, low: np.ndarray, high: np.ndarray, distances: np.ndarray) -> None:
        ranks = distances * self.size + low
        if self.most is not None:
            wanted = ranks < self.worst[high]
            high, ranks = high[wanted], ranks[wanted]
        self.parts.append((high, ranks))
        self.count += len(high)
        if self.most is not None and self.count > self.limit:
            self._prune()

    def result(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Lower indices, higher indices, distances."""
        self._prune()
        high, ranks = self.parts[0]
        distances, low = np.divmod(ranks, self.size)
        return low, high, distances

    def _prune(self) -> None:
        high, ranks = (np.concatenate(column) for column in zip(*self.parts, strict=True))
        if self.most is not None:
            order = np.lexsort((ranks, high))
            high, ranks = high[order], ranks[order]
            place = np.arange(len(high)) - np.searchsorted(high, high)
            last = place == self.most - 1
            self.worst[high[last]] = ranks[last]
            high, ranks = high[place < self.most], ranks[place < self.most]
        self.parts, self.count = [(high, ranks)], len(high)
        self.limit = 2 * len(high) + _CHUNK


def _near(hashes: np.ndarray, max_distance: int) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Each pair within the distance once: lower indices, higher indices, distances."""
    flips = _FLIPS if max_distance >= _BANDS else _FLIPS[:1]
    for band in range(_BANDS):
        for first, second in _candidates(hashes, band, flips):
            unlike = hashes[first] ^ hashes[second]
            distances = np.bitwise_count(unlike)
            near = np.flatnonzero(distances <= max_distance)
            near = near[~_met_before(unlike[near], band, len(flips) > 1)]
            first, second = first[near], second[near]
            yield np.minimum(first, second), np.maximum(first, second), distances[near].astype(np.int64)


def _met_before(unlike: np.ndarray, band: int, with_flips: bool) -> np.ndarray:
    """Whether hashes that differ in these bits meet in an earlier band already."""
    met = np.zeros(len(unlike), bool)
    for earlier in range(band):
        bits = (unlike >> np.uint64(earlier * _BAND_BITS)).astype(np.uint16)
        met |= np.bitwise_count(bits) <= with_flips
    return met


def _candidates(
    hashes: np.ndarray, band: int, flips: Iterable[int]
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Pairs of different indices whose band is equal up to one of the flips, a chunk at a time."""
    values = (hashes >> np.uint64(band * _BAND_BITS)).astype(np.uint16)
    order = np.argsort(values, kind="stable")
    starts = np.concatenate([[0], np.cumsum(np.bincount(values, minlength=1 << _BAND_BITS))])
    for flip in flips:
        # Of two hashes that differ in this bit, the one without it asks.
        asking = np.flatnonzero((values & flip) == 0)
        wanted = values[asking] ^ np.uint16(flip)
        counts = starts[wanted.astype(np.int64) + 1] - starts[wanted]
        for part in _parts(counts):
            count = counts[part]
            first = np.repeat(asking[part], count)
            within = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
            second = order[np.repeat(starts[wanted[part]], count) + within]
            if flip == 0:
                once = first < second
                first, second = first[once], second[once]
            yield first, second


def _parts(counts: np.ndarray) -> Iterator[slice]:
    """Slices of the rows whose counts add up to about ``_CHUNK``, so that memory stays flat."""
    total = np.cumsum(counts)
    start = 0
    while start < len(counts):
        before = total[start - 1] if start else 0
        end = max(int(np.searchsorted(total, before + _CHUNK, side="right")), start + 1)
        yield slice(start, end)
        start = end
