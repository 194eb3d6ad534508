"""Groups, operating points, ranking, confusion, subgroups, bootstrap, curves: against counting by hand."""

import json
import math

import numpy as np
import pytest
from scipy import stats

from classifier.metrics import bootstrap, notes, roc
from classifier.metrics.curves import threshold_curve
from classifier.metrics.groups import AS_BENIGN, AS_MALIGNANT, OWN_GROUP, tier_groups
from classifier.metrics.operating import Truth, at_threshold
from classifier.metrics.plain import plain
from classifier.metrics.proportions import proportion
from classifier.metrics.ranking import argmax_confusion, confusion, ranking
from classifier.metrics.subgroups import subgroup_aucs
from classifier.metrics.youden import youden
from skinclinic.vocabulary.diseases import DISEASE_KEYS
from tests.cases import each

NAMES = [*DISEASE_KEYS, "others"]


def made(seed=1, n=300, levels=40, names=NAMES):
    """Scores [n, 12] with ties, and truth [n]."""
    rng = np.random.default_rng(seed)
    truth = rng.choice(names, n)
    scores = rng.random((n, 12))
    for row, name in enumerate(truth):
        if name in DISEASE_KEYS:
            scores[row, DISEASE_KEYS.index(name)] += 0.4
    return np.floor(scores / 1.4 * levels) / levels, truth


@each("count, of", [(0, 1), (1, 1), (0, 40), (40, 40), (1, 40), (17, 23), (9999, 100000)])
def test_intervals_of_shares_are_wilsons(count, of):
    expected = stats.binomtest(count, of).proportion_ci(method="wilson")
    found = proportion(count, of)
    assert found.value == count / of
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-12)
    assert 0 <= found.low <= found.value <= found.high <= 1


def test_a_share_of_nothing_has_no_value():
    assert plain(proportion(0, 0)) == {"count": 0, "of": 0, "value": None, "low": None, "high": None}
    with pytest.raises(ValueError):
        proportion(3, 2)


def test_actinic_keratosis_goes_where_the_policy_says():
    malignant = ("bcc", "scc", "iec", "mm")
    benign = ("sk", "nevus", "lentigo", "pg", "hemangioma", "df", "wart")
    assert tier_groups(OWN_GROUP) == {"benign": benign, "malignant": malignant, "premalignant": ("ak",)}
    assert tier_groups() == {"benign": ("ak", *benign), "malignant": malignant}
    assert tier_groups(AS_MALIGNANT) == {"benign": benign, "malignant": ("bcc", "scc", "iec", "ak", "mm")}
    with pytest.raises(ValueError, match="policy"):
        tier_groups("neither")


@each("key", ["bcc", "ak", "nevus"])
@each("policy", [AS_BENIGN, AS_MALIGNANT, OWN_GROUP])
def test_counts_and_group_specificities_at_a_threshold(key, policy):
    scores, truth = made()
    column = scores[:, DISEASE_KEYS.index(key)]
    threshold = 0.475  # one of the scores: ">" must not list it
    assert (column == threshold).any()
    found = at_threshold(
        column, Truth.of(truth, DISEASE_KEYS), key, threshold, policy=policy, optimistic=False
    )
    listed, ill = column > threshold, truth == key
    assert found.true_positives == (listed & ill).sum()
    assert found.false_negatives == (~listed & ill).sum()
    assert found.true_negatives == (~listed & ~ill).sum()
    assert found.false_positives == (listed & ~ill).sum()
    assert found.sensitivity.value == pytest.approx(listed[ill].mean())
    assert found.specificity.value == pytest.approx((~listed)[~ill].mean())
    assert found.ppv.value == pytest.approx(ill[listed].mean())
    assert found.npv.value == pytest.approx((~ill)[~listed].mean())
    assert found.groups.policy == policy
    assert {group.policy for group in found.other_policies} == {AS_BENIGN, AS_MALIGNANT, OWN_GROUP} - {policy}
    for group in (found.groups, *found.other_policies):
        for tier, keys in tier_groups(group.policy).items():
            others = np.isin(truth, [other for other in keys if other != key])
            share = getattr(group, f"specificity_among_other_{tier}")
            assert (share.count, share.of) == ((~listed & others).sum(), others.sum())
        if group.policy != OWN_GROUP:
            assert group.specificity_among_other_premalignant is None


def test_a_perfect_threshold_reaches_1_among_the_other_malignant():
    truth = ["bcc", "bcc", "mm", "nevus"]
    found = at_threshold(
        np.array([0.9, 0.8, 0.1, 0.2]),
        Truth.of(truth, DISEASE_KEYS),
        "bcc",
        0.5,
        policy=AS_BENIGN,
        optimistic=True,
    )
    assert found.groups.specificity_among_other_malignant.value == 1
    assert found.groups.specificity_among_other_malignant.of == 1


def ranks_by_hand(scores, truth):
    """Place of the true disease in each row's scores, sorted highest first, equal ones in the fixed order."""
    return [
        sorted(range(12), key=lambda d, row=row: (-row[d], d)).index(DISEASE_KEYS.index(name)) + 1
        for row, name in zip(scores, truth, strict=True)
        if name in DISEASE_KEYS
    ]


@pytest.mark.parametrize("levels", [3, 8, 10**6])
def test_top_k_by_the_fixed_order(levels):
    scores, truth = made(levels, levels=levels)
    ranks = np.array(ranks_by_hand(scores, truth))
    shown = truth[np.isin(truth, DISEASE_KEYS)]
    found = ranking(scores, Truth.of(truth, DISEASE_KEYS))
    assert (found.photos, found.left_out) == (len(shown), (truth == "others").sum())
    for top in found.top:
        assert top.right.count == (ranks <= top.k).sum()
        assert top.class_balanced == pytest.approx(
            np.mean([(ranks[shown == key] <= top.k).mean() for key in DISEASE_KEYS])
        )
        assert top.classes == 12
    # The order decides where the reverse order would give another verdict.
    last = np.array(ranks_by_hand(scores, truth))
    own = [
        (row > row[i]).sum() + (row == row[i]).sum()
        for row, name in zip(scores, truth, strict=True)
        if name in DISEASE_KEYS
        for i in [DISEASE_KEYS.index(name)]
    ]
    first = [
        (row > row[i]).sum() + 1
        for row, name in zip(scores, truth, strict=True)
        if name in DISEASE_KEYS
        for i in [DISEASE_KEYS.index(name)]
    ]
    assert found.tied == (np.array(own) > np.array(first)).sum()
    for top in found.top:
        assert top.decided_by_order == ((np.array(first) <= top.k) & (np.array(own) > top.k)).sum()
    assert (np.array(first) <= last).all() and (last <= np.array(own)).all()


def test_the_confusion_matrix_has_rows_only_for_what_there_is():
    scores, truth = made(names=["bcc", "wart", "others"])
    found = argmax_confusion(scores, Truth.of(truth, DISEASE_KEYS))
    assert (found.rows, found.columns) == (("bcc", "wart", "others"), DISEASE_KEYS)
    answers = np.array([max(range(12), key=lambda d, row=row: (row[d], -d)) for row in scores])
    for row, counts in zip(found.rows, found.counts, strict=True):
        assert list(counts) == [((truth == row) & (answers == d)).sum() for d in range(12)]
    two = confusion(Truth.of(["bcc", "bcc"], DISEASE_KEYS), [1, 0], ("yes", "no"))
    assert two.counts == ((1, 1),)


def test_subgroups_with_too_few_positives_are_said():
    rng = np.random.default_rng(4)
    labels = np.repeat(["a", "b", "c", "d"], 50)
    truth = np.concatenate([np.arange(50) < positives for positives in (10, 9, 0, 50)])
    scores = rng.random(200) + 0.3 * truth
    a, b, c, d = subgroup_aucs(scores, truth, labels)
    assert a.auc.auc == pytest.approx(roc.auc(scores[:50], truth[:50]))
    assert (a.label, a.photos, a.positives, a.note) == ("a", 50, 10, "")
    assert (b.auc, b.note) == (None, notes.TOO_FEW_POSITIVES)
    assert (c.auc, c.note) == (None, notes.NO_POSITIVES)
    assert (d.auc, d.note) == (None, notes.NO_NEGATIVES)
    unknown, known = subgroup_aucs(scores, truth, [None] * 100 + ["a"] * 100)
    assert (unknown.label, known.label) == ("", "a")


def test_bootstrap_has_the_spread_of_delong_and_follows_its_seed():
    rng = np.random.default_rng(3)
    truth = rng.random(400) < 0.3
    scores = np.round(rng.normal(size=400) + truth, 1)
    found = bootstrap.by_photo(scores, truth, seed=7)
    from classifier.metrics.delong import auc_estimate

    delong = auc_estimate(scores, truth)
    assert (found.low, found.high) == pytest.approx((delong.low, delong.high), abs=0.03)
    assert found.se == pytest.approx(delong.se, rel=0.1)
    assert found == bootstrap.by_photo(scores, truth, seed=7)
    assert found != bootstrap.by_photo(scores, truth, seed=8)


def test_bootstrap_by_patient_knows_that_photos_of_one_patient_are_alike():
    rng = np.random.default_rng(3)
    truth = rng.random(80) < 0.4
    scores = rng.normal(size=80) + truth
    four_each = {"scores": np.repeat(scores, 4), "truth": np.repeat(truth, 4)}
    patients = np.repeat([f"P{i}" for i in range(80)], 4)
    by_patient = bootstrap.by_patient(**four_each, patients=patients, seed=1)
    by_photo = bootstrap.by_photo(**four_each, seed=1)
    assert by_patient.se == pytest.approx(2 * by_photo.se, rel=0.15)
    # Four equal photos of each patient tell no more than one.
    one_each = bootstrap.by_patient(scores, truth, np.arange(80), seed=1)
    assert by_patient.se == pytest.approx(one_each.se, rel=0.1)
    assert (by_patient.unit, by_patient.units) == ("patient", 80)


def test_bootstrap_says_how_many_resamples_had_both_classes():
    found = bootstrap.by_patient([1, 2, 3, 4], [False, False, False, True], [1, 1, 2, 3], repeats=200)
    assert 0 < found.used < found.repeats == 200
    with pytest.raises(roc.NotEvaluable):
        bootstrap.by_patient([1, 2], [True, False], [1, 2], repeats=0)


@pytest.mark.parametrize("policy", [AS_BENIGN, AS_MALIGNANT])
def test_threshold_curve_counts_every_group(policy):
    scores, truth = made()
    column = scores[:, 0]
    curve = threshold_curve(column, Truth.of(truth, DISEASE_KEYS), "bcc", policy=policy, points=10**6)
    assert curve.thresholds.tolist() == roc.roc(column, truth == "bcc").thresholds.tolist()
    groups = tier_groups(policy)
    for i, threshold in enumerate(curve.thresholds):
        rejected = column <= threshold
        assert curve.true_positives[i] == (~rejected & (truth == "bcc")).sum()
        assert curve.true_negatives[i] == (rejected & (truth != "bcc")).sum()
        for tier in ("malignant", "benign"):
            others = np.isin(truth, groups[tier]) & (truth != "bcc")
            assert getattr(curve, f"rejected_other_{tier}")[i] == (rejected & others).sum()
            assert getattr(curve, f"other_{tier}") == others.sum()


def test_a_thinned_curve_keeps_ends_wanted_thresholds_and_small_steps():
    scores, truth = made(n=20_000, levels=10**6)
    whole = roc.roc(scores[:, 0], truth == "bcc")
    best = youden(whole).threshold
    curve = threshold_curve(scores[:, 0], Truth.of(truth, DISEASE_KEYS), "bcc", points=200, keep=[best])
    assert len(curve.thresholds) <= 203
    assert best in curve.thresholds
    assert (curve.thresholds[0], curve.thresholds[-1]) == (-math.inf, math.inf)
    # One score of the ~1,500 positives moves the sensitivity by less than 0.001.
    assert np.abs(np.diff(curve.true_positives / curve.positives)).max() < 2 / 200 + 0.001
    assert np.abs(np.diff(curve.true_negatives / curve.negatives)).max() < 2 / 200 + 0.001


def test_a_curve_without_negatives_still_shows_the_positives():
    curve = threshold_curve([0.1, 0.4], Truth.of(["mm", "mm"], DISEASE_KEYS), "mm")
    assert (curve.positives, curve.negatives) == (2, 0)
    assert curve.true_positives.tolist() == [2, 1, 0]
    assert json.loads(json.dumps(plain(curve)))["thresholds"] == ["-inf", 0.25, "inf"]


def test_what_is_no_number_never_becomes_json():
    with pytest.raises(ValueError, match="NaN"):
        plain({"auc": math.nan})
