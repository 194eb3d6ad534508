"""A whole evaluation of 100,000 photos' scores, and AUC with DeLong's interval against pROC in R, in one run."""

import time

import numpy as np
import pytest

from classifier.metrics import roc
from classifier.metrics.delong import estimate
from classifier.metrics.evaluation import evaluate
from skinclinic.vocabulary.diseases import DISEASE_KEYS
from tests import peers

PHOTOS = 100_000
PROC = """
scores <- matrix(scores, ncol=12)
curves <- function() for (d in 1:12) {
  found <- ci.auc(roc(truth == d - 1, scores[, d], levels=c(FALSE, TRUE), direction="<", quiet=TRUE))
  say(found[c(2, 1, 3)])
}
started <- proc.time()[["elapsed"]]
curves()
say(proc.time()[["elapsed"]] - started)
"""


@pytest.mark.r
def test_all_figures_of_100_000_photos(tmp_path):
    random = np.random.default_rng(1)
    codes = random.integers(0, 13, PHOTOS)
    odds = random.normal(size=(PHOTOS, 13))
    odds[np.arange(PHOTOS), codes] += 1.5
    scores = (np.exp(odds) / np.exp(odds).sum(1, keepdims=True))[:, :12]
    truth = np.array([*DISEASE_KEYS, "others"])[codes]

    started = time.perf_counter()
    report = evaluate(scores, truth)
    whole = time.perf_counter() - started

    started = time.perf_counter()
    estimates = [estimate(roc.roc(scores[:, d], codes == d)) for d in range(12)]
    ours = time.perf_counter() - started

    *theirs, (proc,) = peers.run_proc(PROC, tmp_path, scores=scores.T.ravel(), truth=codes)
    print(
        f"\n{PHOTOS:,} photos, 12 diseases: everything in {whole:.2f} s; AUC and DeLong interval {ours:.2f} s, "
        f"pROC {proc:.2f} s, ratio {proc / ours:.1f}; everything / pROC's AUC and interval {whole / proc:.2f}"
    )
    for result, mine, expected in zip(report.diseases, estimates, theirs, strict=True):
        assert result.auc == mine
        assert [mine.auc, mine.low, mine.high] == pytest.approx(expected, rel=1e-9)
    assert proc > ours
