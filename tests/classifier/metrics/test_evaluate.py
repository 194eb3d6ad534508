"""A whole evaluation: every part agrees with the function it comes from, and all of it is JSON."""

import dataclasses
import json

import numpy as np
import pytest

from classifier.metrics import notes, roc
from classifier.metrics.delong import auc_estimate
from classifier.metrics.evaluation import GivenThresholds, Wishes, evaluate
from classifier.metrics.plain import plain
from classifier.metrics.runs import across_runs, mean_sd
from classifier.metrics.youden import youden, youden_optima
from skinclinic.vocabulary.diseases import DISEASE_KEYS
from tests.cases import each

WITHOUT_TWO = [key for key in DISEASE_KEYS if key not in ("lentigo", "wart")]


def made(seed=1, n=400, names=(*DISEASE_KEYS, "others")):
    """Scores [n, 12] of the seed's network; the truth [n] is the same for every seed."""
    truth = np.random.default_rng(0).choice(names, n)
    odds = np.random.default_rng(seed).normal(size=(n, 13))
    for row, name in enumerate(truth):
        odds[row, DISEASE_KEYS.index(name) if name in DISEASE_KEYS else 12] += 1.5
    scores = np.exp(odds) / np.exp(odds).sum(1, keepdims=True)
    return np.round(scores[:, :12], 6), truth


BALANCED = GivenThresholds("balanced", dict.fromkeys(DISEASE_KEYS, 0.1))


def test_every_disease_has_its_figures():
    scores, truth = made()
    found = evaluate(scores, truth, thresholds=[BALANCED])
    assert found.photos == 400
    assert found.photos_of == {name: (truth == name).sum() for name in (*DISEASE_KEYS, "others")}
    for place, key in enumerate(DISEASE_KEYS):
        result, column, ill = found.disease(key), scores[:, place], truth == key
        curve = roc.roc(column, ill)
        assert result.auc == auc_estimate(column, ill)
        assert result.partial_auc == roc.partial_auc(curve, 0.8)
        assert result.youden.threshold == youden(curve).threshold
        assert result.youden.optimistic
        assert result.youden.sensitivity.value == youden(curve).sensitivity
        assert result.youden_thresholds == tuple(p.threshold for p in youden_optima(curve))
        assert result.at_sensitivity["0.95"].sensitivity.value >= 0.95
        assert result.at_specificity["0.9"].specificity.value >= 0.9
        assert result.given["balanced"].true_positives == ((column > 0.1) & ill).sum()
        assert not result.given["balanced"].optimistic
        assert result.calibration.slope.value > 0
        assert result.bootstrap_by_photo is None
    assert found.averages.auc == pytest.approx(np.mean([result.auc.auc for result in found.diseases]))
    assert found.averages.sensitivity == pytest.approx(
        np.mean([result.youden.sensitivity.value for result in found.diseases])
    )


def test_a_disease_the_dataset_lacks_is_not_evaluable():
    scores, truth = made(names=WITHOUT_TWO)
    found = evaluate(scores, truth, thresholds=[BALANCED])
    for key in ("lentigo", "wart"):
        result = found.disease(key)
        assert result.note == notes.NO_POSITIVES
        assert (result.auc, result.partial_auc, result.youden, result.calibration) == (None,) * 4
        assert result.given["balanced"].sensitivity.value is None
        assert result.given["balanced"].specificity.of == 400
    assert (found.averages.diseases, found.averages.left_out) == (10, ("lentigo", "wart"))
    assert (len(found.confusion.rows), len(found.confusion.columns)) == (10, 12)


def test_a_dataset_of_one_disease_has_sensitivities_alone():
    scores, truth = made(names=["mm"])
    found = evaluate(scores, truth, thresholds=[BALANCED])
    result = found.disease("mm")
    assert result.note == notes.NO_NEGATIVES
    assert result.given["balanced"].sensitivity.value == pytest.approx((scores[:, 5] > 0.1).mean())
    assert result.given["balanced"].specificity.value is None
    assert (found.averages.diseases, found.averages.auc) == (0, None)


def test_one_positive_has_an_area_without_interval():
    scores, truth = made(names=["mm"])
    truth = np.where(np.arange(400) == 0, "mm", "nevus")
    result = evaluate(scores, truth).disease("mm")
    assert (result.auc.low, result.auc.note) == (None, notes.ONE_IN_CLASS)


def test_differentials_of_given_thresholds():
    scores, truth = made()
    high = GivenThresholds("high", dict.fromkeys(DISEASE_KEYS, 0.5), optimistic=True)
    found = evaluate(scores, truth, thresholds=[BALANCED, high]).listings
    listed = scores > 0.5
    assert found["high"].mean_length == pytest.approx(listed.sum(1).mean())
    assert found["high"].empty.count == (~listed.any(1)).sum()
    right = [row[DISEASE_KEYS.index(t)] for row, t in zip(listed, truth, strict=True) if t in DISEASE_KEYS]
    assert (found["high"].truth_listed.count, found["high"].truth_listed.of) == (sum(right), len(right))


def test_everything_at_once_is_json():
    scores, truth = made(names=(*WITHOUT_TWO, "others"))
    found = evaluate(
        scores,
        truth,
        thresholds=[BALANCED],
        patients=np.arange(400) // 3,
        subgroups={"sex": np.where(np.arange(400) % 2, "female", "male")},
        wishes=Wishes(repeats=20, prevalence={"mm": 0.02}, policy="premalignant"),
    )
    text = json.dumps(plain(found), allow_nan=False)
    again = json.loads(text)
    assert again["diseases"][5]["decision_curve"]["prevalence"] == 0.02
    assert again["diseases"][0]["bootstrap_by_patient"]["units"] == 134
    assert [group["label"] for group in again["diseases"][0]["subgroups"]["sex"]] == ["female", "male"]
    assert again["diseases"][0]["subgroups"]["sex"][0]["photos"] == 200
    assert again["groups"]["premalignant"] == ["ak"]
    assert set(again) == {field.name for field in dataclasses.fields(found)}


@each(
    "scores, truth, more, message",
    [
        (np.zeros((3, 11)), ["bcc"] * 3, {}, "3 photos and 12 columns"),
        (np.zeros((3, 12)), ["bcc"] * 2, {}, "each of 2 photos"),
        (np.zeros((0, 12)), [], {}, "no photo"),
        (np.full((1, 12), np.nan), ["bcc"], {}, "finite"),
        (np.zeros((1, 12)), ["bcc"], {"patients": [1, 2]}, "patients: 2 labels for 1"),
        (np.zeros((1, 12)), ["bcc"], {"subgroups": {"sex": []}}, "sex: 0 labels"),
        (np.zeros((1, 12)), ["bcc"], {"thresholds": [GivenThresholds("x", {"bcc": 1})]}, "lack scc, iec"),
    ],
)
def test_what_does_not_fit_together_is_refused(scores, truth, more, message):
    with pytest.raises(ValueError, match=message):
        evaluate(scores, truth, **more)


def test_mean_and_sd_over_runs():
    assert mean_sd([0.9, 0.92, 0.97]).sd == pytest.approx(np.std([0.9, 0.92, 0.97], ddof=1))
    assert mean_sd([0.9]) == mean_sd([0.9]) and mean_sd([0.9]).sd is None
    assert mean_sd([None, None]).mean is None
    assert mean_sd([-np.inf, 0.5]).mean is None
    assert mean_sd([0.0001, 0.0001, 0.02]).unstable
    assert not mean_sd([0.1, 0.11]).unstable


def test_runs_are_averaged_within_each_run_first():
    evaluations = [
        evaluate(made(seed, names=WITHOUT_TWO)[0], made(seed, names=WITHOUT_TWO)[1], thresholds=[BALANCED])
        for seed in (1, 2, 3)
    ]
    found = across_runs(evaluations)
    assert (found.runs, found.average.diseases) == (3, 10)
    bcc = found.rows[0]
    assert bcc.auc.values == tuple(evaluation.disease("bcc").auc.auc for evaluation in evaluations)
    assert bcc.threshold.sd == pytest.approx(
        np.std([evaluation.disease("bcc").youden.threshold for evaluation in evaluations], ddof=1)
    )
    macro = [evaluation.averages.auc for evaluation in evaluations]
    assert found.average.auc.mean == pytest.approx(np.mean(macro))
    assert found.average.auc.sd == pytest.approx(np.std(macro, ddof=1))
    assert found.rows[DISEASE_KEYS.index("wart")].auc.mean is None
    assert found.top_1.values == tuple(evaluation.ranking.top[0].right.value for evaluation in evaluations)
    given = across_runs(evaluations, thresholds="balanced")
    assert given.rows[0].threshold.mean == pytest.approx(0.1)
    other = evaluate(*made(1))
    with pytest.raises(ValueError, match="same photos"):
        across_runs([evaluations[0], other])
