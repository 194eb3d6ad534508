"""The report of a study as large as the paper's as it is run, and Obuchowski-Rockette against the same formulas in R
in one run."""

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from reader_study import mrmc
from tests import peers
from tests.reader_study.made_study import made_study, write

ROOT = Path(__file__).resolve().parents[2]
IMAGES, READERS = 480, 16
# Drawing some 700 files may take so many times what computing and writing the tables takes.
MOST_DRAWING = 4.5
MANY = 64
# What several processes cost beside one.
MOST_BESIDE = 1.4
# No package for it in R can be installed here, so R gets the same formulas: in their quickest form (leave-one-out AUCs
# in closed form from ranks, covariances as one product), and with every case really deleted, as a package for any
# figure of merit does it. Mean squares come from aov.
R_SCRIPT = """
columns <- matrix(ratings, ncol=I * J); y <- truth == 1; n <- length(y); P <- sum(y); N <- n - P
auc_of <- function(x, y) (mean(rank(x)[y]) - (sum(y) + 1) / 2) / sum(!y)
started <- proc.time()[["elapsed"]]
left <- t(sapply(1:n, function(k) apply(columns[-k, ], 2, auc_of, y=y[-k])))
deleted <- (n - 1) / n * crossprod(sweep(left, 2, colMeans(left)))
deleting <- proc.time()[["elapsed"]] - started
started <- proc.time()[["elapsed"]]
for (time in 1:repeats) {
  deviations <- apply(columns, 2, function(x) {
    ranks <- rank(x); v <- numeric(n)
    v[y] <- (ranks[y] - rank(x[y])) / N
    v[!y] <- 1 - (ranks[!y] - rank(x[!y])) / P
    theta <- mean(v[y])
    c(theta, (theta - v) / ifelse(y, P - 1, N - 1))
  })
  theta <- deviations[1, ]
  spread <- (n - 1) / n * crossprod(deviations[-1, ])
  test <- rep(1:I, each=J); reader <- rep(1:J, I)
  squares <- summary(aov(theta ~ factor(test) + factor(reader)))[[1]][["Mean Sq"]]
  same_test <- outer(test, test, "=="); same_reader <- outer(reader, reader, "==")
  cov2 <- mean(spread[same_test & !same_reader]); cov3 <- mean(spread[!same_test & !same_reader])
  den <- squares[3] + J * max(cov2 - cov3, 0)
  df2 <- den^2 / (squares[3]^2 / ((I - 1) * (J - 1)))
  f <- squares[1] / den
  p <- pf(f, I - 1, df2, lower.tail=FALSE)
}
elapsed <- (proc.time()[["elapsed"]] - started) / repeats
say(f, df2, p, max(abs(spread - deleted)))
say(elapsed)
say(deleting)
"""


@pytest.mark.processor_time
def test_a_whole_report(tmp_path):
    paths = write(made_study(n=IMAGES, readers=READERS), tmp_path)
    options = [part for name, path in paths.items() for part in (f"--{name}", str(path))]
    command = [sys.executable, str(ROOT / "manage.py"), "study_report", *options, "--margin", "0.05"]
    environment = {**os.environ, "SKINCLINIC_HOME": str(tmp_path / "home")}

    def seconds_of(*more: str, processors: int = MANY) -> tuple[float, float]:
        """Of the processor, and by the clock. The command and its processes are held to so many processors."""
        mine = sorted(os.sched_getaffinity(0))[:processors]
        before = os.times()
        subprocess.run(
            [*command, *more], env=environment, check=True, capture_output=True, timeout=280,
            preexec_fn=lambda: os.sched_setaffinity(0, mine),
        )  # fmt: skip
        after = os.times()
        used = after.children_user + after.children_system - before.children_user - before.children_system
        return used, after.elapsed - before.elapsed

    out, out_of_one = tmp_path / "out", tmp_path / "of one"
    whole, waited = seconds_of("--out", str(out))
    of_one, waited_for_one = seconds_of("--out", str(out_of_one), processors=1)
    computing, _waited = seconds_of("--out", str(tmp_path / "tables"), "--no-figures")
    written = {path.relative_to(out): path.read_bytes() for path in out.rglob("*") if path.is_file()}
    print(
        f"\nstudy_report, {IMAGES} photos x {READERS} readers x 2 sessions x 12 diseases: {whole:.1f} s "
        f"of the processor for {len(written)} files, {computing:.1f} s without figures, ratio {whole / computing:.1f}; "
        f"held to one processor {of_one:.1f} s, ratio {whole / of_one:.2f}; "
        f"by the clock {waited:.1f} s and {waited_for_one:.1f} s, ratio {waited / waited_for_one:.2f}"
    )
    assert whole < MOST_DRAWING * computing
    assert whole < MOST_BESIDE * of_one
    assert written == {
        path.relative_to(out_of_one): path.read_bytes() for path in out_of_one.rglob("*") if path.is_file()
    }, "what is written hangs on the number of processors"


@pytest.mark.r
def test_obuchowski_rockette_against_r(tmp_path):
    rng = np.random.default_rng(1)
    truth = np.arange(IMAGES) < IMAGES // 3
    case = rng.normal(size=IMAGES) + 1.5 * truth
    ratings = np.round(case + rng.normal(size=(2, READERS, IMAGES)), 2)
    repeats = 10
    started = time.perf_counter()
    for _ in range(repeats):
        found = mrmc.compare(mrmc.auc(ratings, truth))
    ours = (time.perf_counter() - started) / repeats
    expected, (theirs,), (deleting,) = peers.run_proc(
        R_SCRIPT, tmp_path, ratings=ratings.ravel(), truth=truth, I=[2], J=[READERS], repeats=[repeats]
    )  # fmt: skip
    print(
        f"\nObuchowski-Rockette, 2 tests x {READERS} readers x {IMAGES} cases: {1000 * ours:.1f} ms, R "
        f"{1000 * theirs:.1f} ms, ratio {ours / theirs:.2f}; R by deleting cases {1000 * deleting:.0f} ms, ratio "
        f"{ours / deleting:.4f}"
    )
    *expected, apart = expected
    assert [found.rrrc.f, found.rrrc.df2, found.rrrc.p] == pytest.approx(expected, rel=1e-9)
    assert apart < 1e-15
    # Both forms are quick, and noise of a busy machine is as large as their difference.
    assert ours < 3 * theirs < deleting
