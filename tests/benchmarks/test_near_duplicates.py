"""Near-duplicate search among 200,000 hashes against comparing all pairs, as a ratio inside one run."""

import time

import numpy as np

from skinclinic.archive import near
from skinclinic.archive.services.duplicates import MAX_DISTANCE

COUNT, SAMPLE = 200_000, 2_000


def hashes_like_an_archive(count: int, random: np.random.Generator) -> np.ndarray:
    """Hashes of which 1 % are copies with up to six bits turned, and whose bits are as uneven as those of
    photos: low frequencies lean to one sign."""
    lean = random.uniform(0.2, 0.8, 64)
    bits = random.random((count, 64)) < lean
    copies = count // 100
    bits[-copies:] = bits[:copies]
    for row in range(count - copies, count):
        turned = random.choice(64, random.integers(0, MAX_DISTANCE + 1), replace=False)
        bits[row, turned] ^= True
    return np.packbits(bits, axis=1).view(">u8").astype(np.uint64).ravel().view(np.int64)


def compared_in_full(bits: np.ndarray, rows: int) -> set[tuple[int, int]]:
    """Pairs with the first ``rows`` hashes, by comparing each with all others."""
    found = set()
    for row in range(rows):
        near_ones = np.flatnonzero(np.bitwise_count(bits ^ bits[row]) <= MAX_DISTANCE)
        found |= {(min(row, other), max(row, other)) for other in map(int, near_ones) if other != row}
    return found


def test_the_search_beats_all_pairs_and_finds_the_same():
    hashes = hashes_like_an_archive(COUNT, np.random.default_rng(1))
    started = time.perf_counter()
    pairs, _distances = near.pairs(hashes, MAX_DISTANCE)
    searched = time.perf_counter() - started
    started = time.perf_counter()
    expected = compared_in_full(hashes.view(np.uint64), SAMPLE)
    # Each pair is met twice when every hash is compared with all others.
    all_pairs = (time.perf_counter() - started) * COUNT / SAMPLE / 2
    found = {tuple(map(int, pair)) for pair in pairs if pair[0] < SAMPLE}
    print(
        f"\n{COUNT:,} hashes: {len(pairs):,} pairs in {searched:.2f} s; all pairs would take {all_pairs:.0f} s "
        f"(from {SAMPLE:,} of them), {all_pairs / searched:.0f} times as long; same pairs on the sample"
    )
    assert found == expected
    assert all_pairs / searched > 5
