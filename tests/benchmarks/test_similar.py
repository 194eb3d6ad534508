"""Finding the nearest of many features by sketches, against comparing with all of them: a ratio inside one run, in
processor time, so that other work on the machine does not count."""

import time

import numpy as np
import pytest

from classifier.analysing import nearest

pytestmark = pytest.mark.processor_time

COUNT, LENGTH, ASKED, WANTED = 40_000, 1280, 15, 6


def test_the_sketches_find_the_same_in_less_than_half_of_the_time():
    random = np.random.default_rng(3)
    others = np.maximum(random.normal(-0.4, 1, (500, LENGTH)), 0).astype(np.float32)
    shares = random.dirichlet([1, 1, 1], COUNT + ASKED).astype(np.float32)
    of = random.integers(0, len(others), (COUNT + ASKED, 3))
    every = np.empty((COUNT + ASKED, LENGTH), np.float32)
    for place in range(0, len(every), 5000):
        part = slice(place, place + 5000)
        every[part] = nearest.unit(np.einsum("nk,nkd->nd", shares[part], others[of[part]]))
    vectors, queries = every[:COUNT], every[COUNT:]
    sketches = nearest.Sketches(vectors[: nearest.SAMPLE])
    sketches.add(vectors)
    ours, all_of_them = [], []
    for query in queries:
        best: list[tuple[float, int]] = []

        def look(places, best=best, query=query) -> float:
            squared = np.square(vectors[places] - query).sum(axis=1)
            best += zip(squared.tolist(), places.tolist(), strict=True)
            best.sort()
            return best[WANTED - 1][0]

        start = time.process_time()
        nearest.search(sketches.bounds(query), look)
        ours.append(time.process_time() - start)
        start = time.process_time()
        expected = np.argpartition(-(vectors @ query), WANTED)[:WANTED]
        all_of_them.append(time.process_time() - start)
        assert {place for _squared, place in best[:WANTED]} == set(expected.tolist())
    # Of a query that nothing is near to, most are looked at; the median is what people wait for.
    by_sketches, by_all = np.median(ours), np.median(all_of_them)
    print(f"\nsketches {by_sketches * 1e3:.1f} ms, all {by_all * 1e3:.1f} ms a search")
    assert by_all / by_sketches > 2
