"""Finding hashes that differ in few bits without comparing all pairs. Pure numpy; nothing here knows Django.

Multi-index hashing (Norouzi, Punjani and Fleet 2012): 64 bits are cut into four bands of 16. Two hashes at a
distance of at most 7 share a band to within one bit (4 bands × 2 bits would already be 8), so only hashes
whose band is equal or one flip away are compared in full.
"""

from collections.abc import Iterator

import numpy as np

MOST_DISTANCE = 7
_BANDS, _BAND_BITS = 4, 16
_FLIPS = (0, *(1 << bit for bit in range(_BAND_BITS)))
_CHUNK = 4_000_000


def pairs(
    hashes: np.ndarray, max_distance: int, *, among: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """All pairs at a Hamming distance of at most ``max_distance`` bits (0 to 7), nearest first.

    ``hashes``: int64 or uint64[N]. ``among``: bool[N]; only pairs with at least one such member. Returns
    int64[M, 2] of indices (first < second) and int64[M] of distances. Raises ValueError for a distance that
    the bands cannot promise to find.
    """
    if not 0 <= max_distance <= MOST_DISTANCE:
        raise ValueError(f"a distance from 0 to {MOST_DISTANCE} can be searched")
    hashes = np.ascontiguousarray(hashes).view(np.uint64)
    probes = np.arange(len(hashes)) if among is None else np.flatnonzero(among)
    flips = _FLIPS if max_distance >= _BANDS else _FLIPS[:1]
    found = [np.empty(0, np.int64)]
    for band in range(_BANDS):
        for first, second in _candidates(hashes, probes, band, flips):
            near = np.bitwise_count(hashes[first] ^ hashes[second]) <= max_distance
            low, high = np.minimum(first[near], second[near]), np.maximum(first[near], second[near])
            found.append(np.unique(low * len(hashes) + high))
    packed = np.unique(np.concatenate(found))
    indices = np.stack(np.divmod(packed, max(len(hashes), 1)), axis=1)
    distances = np.bitwise_count(hashes[indices[:, 0]] ^ hashes[indices[:, 1]]).astype(np.int64)
    order = np.argsort(distances, kind="stable")
    return indices[order], distances[order]


def _candidates(hashes, probes, band: int, flips) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Pairs of different hashes whose band is equal up to one of the flips, a chunk at a time."""
    values = (hashes >> np.uint64(band * _BAND_BITS)).astype(np.uint16)
    order = np.argsort(values, kind="stable")
    starts = np.concatenate([[0], np.cumsum(np.bincount(values, minlength=1 << _BAND_BITS))])
    for flip in flips:
        # Of two hashes that differ in this bit, the one without it asks; among few, everyone asks.
        asking = probes[(values[probes] & flip) == 0] if len(probes) == len(hashes) else probes
        wanted = values[asking] ^ np.uint16(flip)
        counts = starts[wanted.astype(np.int64) + 1] - starts[wanted]
        for part in _parts(counts):
            count = counts[part]
            first = np.repeat(asking[part], count)
            within = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
            second = order[np.repeat(starts[wanted[part]], count) + within]
            keep = first < second if flip == 0 and len(probes) == len(hashes) else first != second
            yield first[keep], second[keep]


def _parts(counts: np.ndarray) -> Iterator[slice]:
    """Slices of the rows whose counts add up to about ``_CHUNK``, so that memory stays flat."""
    total = np.cumsum(counts)
    start = 0
    while start < len(counts):
        before = total[start - 1] if start else 0
        end = max(int(np.searchsorted(total, before + _CHUNK, side="right")), start + 1)
        yield slice(start, end)
        start = end
