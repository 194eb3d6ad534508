"""A made study as R computes it from its answers and scores, to 1e-9."""

import numpy as np
import pytest

from reader_study.statistics.report import report
from skinclinic.vocabulary.diseases import DISEASE_KEYS
from tests import peers
from tests.reader_study.made_study import made_study
from tests.reader_study.r_scripts import AGREEMENT, OBUCHOWSKI_ROCKETTE

pytestmark = pytest.mark.r

CLOSE = {"rel": 1e-9, "abs": 1e-13}
READERS = 5
# unaided and aided: a column a reader of answers 0 to 11, 12 is missing.
SCRIPT = f"""
{OBUCHOWSKI_ROCKETTE}
{AGREEMENT}
scores <- matrix(scores, ncol=12)
unaided <- matrix(unaided, ncol={READERS}); aided <- matrix(aided, ncol={READERS})
argmax <- apply(scores, 1, which.max) - 1
say(sapply(c(1, 2, 3, 5), function(k) mean(sapply(seq_along(truth), function(i)
  rank(-scores[i, ], ties.method="first")[truth[i] + 1] <= k))))
say(mean(tapply(argmax == truth, truth, mean)))
say(table(factor(truth, 0:11), factor(argmax, 0:11)))
for (answers in list(unaided, aided)) {{
  say(apply(answers, 2, function(x) mean(x == truth)))
  say(apply(answers, 2, function(x) cohen(truth, x)))
  say(fleiss(answers))
  say(fleiss(answers[rowSums(answers == 12) == 0, ]))
  for (j in 1:{READERS}) {{
    ai <- argmax == truth; reader <- answers[, j] == truth
    counts <- table(factor(ai, c(FALSE, TRUE)), factor(reader, c(FALSE, TRUE)))
    say(counts[2, 1], counts[1, 2], binom.test(counts[2, 1], counts[2, 1] + counts[1, 2])$p.value,
        mcnemar.test(counts)$p.value)
  }}
}}
for (d in 0:11) {{
  y <- as.numeric(truth == d)
  found <- roc(y, scores[, d + 1], levels=c(0, 1), direction="<", quiet=TRUE)
  say(ci.auc(found)[c(2, 1, 3)], var(found))
  wilson <- function(k, n) prop.test(k, n, correct=FALSE)$conf.int
  said <- unaided[, 1] == d
  say(mean(said[y == 1]), wilson(sum(said[y == 1]), sum(y == 1)),
      mean(!said[y == 0]), wilson(sum(!said[y == 0]), sum(y == 0)))
  ai <- as.numeric(scores[, d + 1] > thresholds[d + 1])
  against(ai, (unaided == d) * 1, y, balanced_of, 0.05)
  both <- cbind(unaided == d, aided == d) * 1
  analyse(both, y, 2, {READERS}, sens_of)
  analyse(both, y, 2, {READERS}, spec_of)
}}
"""


def inside(low: float, high: float) -> list[float]:
    return [max(low, -1), min(high, 1)]


@pytest.fixture(scope="module")
def both(tmp_path_factory) -> tuple[dict, list[list[float]]]:
    tables = made_study(n=150, readers=READERS, datasets=("asan",), missing=0.05, seed=11)
    found = report(tables, margin=0.05)["datasets"]["asan"]
    code = {key: place for place, key in enumerate((*DISEASE_KEYS, ""))}
    answers = {
        session: [code[one.answer] for one in tables.answers if one.session == session]
        for session in ("unaided", "aided")
    }
    lines = peers.run_proc(
        SCRIPT,
        tmp_path_factory.mktemp("r"),
        scores=np.asarray(tables.scores).T.ravel(),
        truth=[code[image.truth] for image in tables.images],
        thresholds=[found["diseases"][key]["youden"]["threshold"] for key in DISEASE_KEYS],
        **answers,
    )
    return found, lines


def test_the_model_ranks(both):
    found, (top, balanced, counts, *_rest) = both
    assert list(found["top_k"].values()) == pytest.approx(top, **CLOSE)
    assert [found["balanced_top1"]] == pytest.approx(balanced, **CLOSE)
    assert np.array(found["confusion"]["counts"]).T.ravel().tolist() == counts


def test_readers_agree_with_the_truth_and_each_other(both):
    found, lines = both
    lines = iter(lines[3:])
    for session in ("unaided", "aided"):
        ours = found["sessions"][session]
        readers = ours["readers"].values()
        assert [one["accuracy"] for one in readers] == pytest.approx(next(lines), **CLOSE)
        assert [one["kappa_missing_as_category"] for one in readers] == pytest.approx(next(lines), **CLOSE)
        assert [ours["fleiss_missing_as_category"]["kappa"]] == pytest.approx(next(lines), **CLOSE)
        assert 0 < ours["fleiss_answered_only"]["images"] < 150
        assert [ours["fleiss_kappa"]] == pytest.approx(next(lines), **CLOSE)
        for one in found["mcnemar"][session].values():
            figures = [one[name] for name in ("ai_only", "reader_only", "exact_p", "corrected_p")]
            assert figures == pytest.approx(next(lines), **CLOSE)


def test_diseases_one_by_one(both):
    found, lines = both
    # 3 of the model, 4 + 5 of each session, before; sessions give 3 + 2 pairs + 2 singles lines.
    lines = iter(lines[3 + 2 * (4 + READERS) :])
    for key in DISEASE_KEYS:
        one = found["diseases"][key]
        assert [one["auc"], *one["auc_ci"], one["auc_variance"]] == pytest.approx(next(lines), **CLOSE)
        point = found["sessions"]["unaided"]["readers"]["reader-00"]["points"][key]
        figures = [
            point["sensitivity"], *point["sensitivity_ci"], point["specificity"], *point["specificity_ci"],
        ]  # fmt: skip
        assert figures == pytest.approx(next(lines), rel=1e-9, abs=1e-9)
        test = found["ai_vs_readers"]["unaided"][key]
        figures = [test["ai"], test["readers_mean"], test["difference"], *test["ci"], test["t"], test["df"], test["p"],
                   test["non_inferiority"]["p"]]  # fmt: skip
        expected = next(lines)
        expected[3:5] = inside(*expected[3:5])
        assert figures == pytest.approx(expected, **CLOSE)
        for merit in ("sensitivity", "specificity"):
            test = found["compare"]["unaided_vs_aided"][key][merit]
            assert list(test["components"].values()) == pytest.approx(next(lines), **CLOSE)
            assert [test["f"], test["df1"], test["df2"], test["p"]] == pytest.approx(next(lines), **CLOSE)
            next(lines)
            # R has unaided - aided, the report the later session minus the earlier, inside what that can be.
            difference, low, high, p = next(lines)
            expected = [-difference, *inside(-high, -low), p]
            assert [test["difference"], *test["ci"], test["p"]] == pytest.approx(expected, **CLOSE)
            fixed = test["frrc"]
            z, p, low, high = next(lines)
            assert [fixed["z"], fixed["p"], *fixed["ci"]] == pytest.approx(
                [-z, p, *inside(-high, -low)], **CLOSE
            )
            for session in ("unaided", "aided"):
                mean, _se, _df, low, high = next(lines)
                ours = found["sessions"][session]["average"][key]
                assert ours[merit] == pytest.approx(mean, **CLOSE)
                assert ours[f"{merit}_ci"] == pytest.approx([max(low, 0), min(high, 1)], **CLOSE)
    assert not list(lines)
