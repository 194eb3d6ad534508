"""Curves as thumbnails of a page: as they are, with no more points than can be seen."""

import numpy as np

from classifier.plots.svg import to_svg
from classifier.plots.thumbnails import GRAIN, roc, thinned

PHOTOS = 60_000


def _curve(seed: int = 1) -> dict:
    """A curve of many photos, each a threshold."""
    rng = np.random.default_rng(seed)
    hits = np.sort(rng.integers(0, 5001, PHOTOS))[::-1]
    rejected = np.sort((rng.random(PHOTOS) ** 3 * 55_000).astype(int))
    malignant = np.sort(rng.integers(0, 20_001, PHOTOS))
    return {
        "positives": 5000, "negatives": 55_000, "other_malignant": 20_000, "other_benign": 0,
        "thresholds": np.linspace(0, 1, PHOTOS).tolist(), "true_positives": hits.tolist(),
        "true_negatives": rejected.tolist(), "rejected_other_malignant": malignant.tolist(),
        "rejected_other_benign": [0] * PHOTOS,
    }  # fmt: skip


def test_a_curve_of_many_photos_is_drawn_by_few_points_that_stay_on_it():
    found = roc("bcc-roc", "ROC", _curve(), {"true_negatives": 40_000, "true_positives": 4000})
    assert len(to_svg(found.drawing)) < 20_000
    x = np.linspace(0, 188, 20_000)
    for y in (188 * (x / 188) ** 0.2, np.floor(x / 40) * 40, np.full_like(x, 3.0)):
        few = np.array(thinned(x, y))
        assert len(few) < 200 and tuple(few[0]) == (x[0], y[0]) and tuple(few[-1]) == (x[-1], y[-1])
        assert _apart(np.column_stack([x, y]), few).max() <= GRAIN


def _apart(points: np.ndarray, line: np.ndarray) -> np.ndarray:
    """How far each of ``points`` [n, 2] is from the line through ``line`` [m, 2]."""
    begin, way = line[:-1], np.diff(line, axis=0)
    along = ((points[:, None] - begin) * way).sum(2) / np.maximum((way**2).sum(1), 1e-12)
    nearest = begin + np.clip(along, 0, 1)[..., None] * way
    return np.hypot(*(points[:, None] - nearest).transpose(2, 0, 1)).min(1)


def test_a_disease_without_photos_has_none():
    found = roc("bcc-roc", "ROC", _curve() | {"positives": 0}, None)
    assert found.drawing is None and found.note == "not evaluable"
