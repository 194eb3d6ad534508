"""Near-duplicate search among 200,000 hashes: against comparing all pairs, and with many equal ones; as ratios inside
one run, in processor time, so that other work on the machine does not count."""

import time

import numpy as np
import pytest

from skinclinic.archive import near_duplicates
from skinclinic.archive.services.curating.duplicates import MAX_DISTANCE, MOST_EACH
from tests import memory

pytestmark = pytest.mark.processor_time

COUNT, SAMPLE, EQUAL = 200_000, 2_000, 20_000


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


def timed(run) -> tuple[object, float]:
    started = time.process_time()
    return run(), time.process_time() - started


def test_the_search_beats_all_pairs_and_finds_the_same():
    hashes = hashes_like_an_archive(COUNT, np.random.default_rng(1))
    (pairs, _distances), searched = timed(lambda: near_duplicates.pairs(hashes, MAX_DISTANCE))
    expected, sampled = timed(lambda: compared_in_full(hashes.view(np.uint64), SAMPLE))
    # Each pair is met twice when every hash is compared with all others.
    all_pairs = sampled * COUNT / SAMPLE / 2
    found = {tuple(map(int, pair)) for pair in pairs if pair[0] < SAMPLE}
    print(
        f"\n{COUNT:,} hashes: {len(pairs):,} pairs in {searched:.2f} s; all pairs would take {all_pairs:.0f} s "
        f"(from {SAMPLE:,} of them), {all_pairs / searched:.0f} times as long; same pairs on the sample"
    )
    assert found == expected
    assert all_pairs / searched > 5


@pytest.mark.parametrize("turned", [0, 3], ids=["equal", "nearly equal"])
def test_many_alike_cost_neither_time_nor_memory_without_bound(turned):
    """A tenth of the archive is one black frame: equal hashes, or all within six bits of each other."""
    random = np.random.default_rng(2)
    hashes = hashes_like_an_archive(COUNT, random)
    (plain, _distances), usual = timed(lambda: near_duplicates.pairs(hashes, MAX_DISTANCE, MOST_EACH))
    alike = random.choice(COUNT, EQUAL, replace=False)
    hashes[alike] = hashes[0]
    for row in alike:
        for bit in random.choice(64, turned, replace=False):
            hashes[row : row + 1].view(np.uint64)[0] ^= np.uint64(1) << np.uint64(bit)
    memory.begin()
    before = memory.peak_mb()
    (pairs, _distances), searched = timed(lambda: near_duplicates.pairs(hashes, MAX_DISTANCE, MOST_EACH))
    grown = memory.peak_mb() - before
    print(
        f"\n{EQUAL:,} of {COUNT:,} alike: {len(pairs):,} pairs of {EQUAL * (EQUAL - 1) // 2:,} possible, in "
        f"{searched / usual:.1f} times the time ({searched:.1f} s) that none alike take; peak memory "
        f"{grown:+.0f} MB"
    )
    assert len(plain) < len(pairs) <= len(plain) + EQUAL * MOST_EACH
    assert set(np.sort(alike)[1:]) <= set(pairs[:, 1]), "every later one is shown beside an earlier one"
    assert grown < 600
    assert searched < 30 * usual
