"""The rule of alarms keeps what it promises: false ones at most as often as stated, real falls found."""

import numpy as np
import pytest

from classifier.metrics import sequential
from classifier.metrics.sequential import Evidence, lower_limit

RUNS, CASES, ALPHA = 2000, 400, 0.05


def path(hits, reference: float) -> np.ndarray:
    """The evidence after each case [..., n] of records ``hits`` [..., n], all at once."""
    hits = np.asarray(hits, bool)
    sums, found = np.zeros((*hits.shape[:-1], len(sequential.FACTORS))), np.empty(hits.shape)
    for place in range(hits.shape[-1]):
        sums = sequential._step(sums, place + 1, hits[..., place, None], reference)
        found[..., place] = sums.mean(-1) + 1 / (place + 2)
    return found


def alarmed(random, shares, reference: float) -> np.ndarray:
    """After which case each of the runs is at 1 / ALPHA; CASES where it never is. ``shares`` [cases]."""
    hits = random.random((RUNS, len(shares))) < np.asarray(shares)
    above = path(hits, reference) >= 1 / ALPHA
    return np.where(above.any(1), above.argmax(1), len(shares))


@pytest.mark.parametrize("reference", [0.6, 0.9, 0.97])
def test_records_whose_share_is_the_reference_or_better_raise_a_false_alarm_as_rarely_as_stated(reference):
    random = np.random.default_rng(7)
    at_it = np.full(CASES, reference)
    # Bounded for each case given those before it: also where the share moves, as long as it stays above.
    moving = reference + (1 - reference) * np.linspace(0, 0.5, CASES)
    for shares in (at_it, moving):
        assert (alarmed(random, shares, reference) < CASES).mean() <= ALPHA


def test_a_real_fall_is_found_at_once_and_after_many_good_cases():
    random = np.random.default_rng(8)
    at_once = alarmed(random, np.full(150, 0.7), 0.9)
    assert (at_once < 150).mean() > 0.95
    later = alarmed(random, np.r_[np.full(150, 0.93), np.full(150, 0.65)], 0.9)
    assert (later < 150).mean() < ALPHA < 0.9 < (later < 300).mean()


def test_what_the_first_say_is_held_against_with_false_alarms_as_rare_as_stated():
    """Half of them for the chance that the first were better than usual."""
    random = np.random.default_rng(10)
    for share in (0.7, 0.95):
        first = random.binomial(100, share, RUNS)
        low = np.array([lower_limit(hits, 100, ALPHA / 2) for hits in first])[:, None]
        assert (low > share).mean() <= ALPHA / 2
        for shares, rarely, often in ((np.full(300, share), 0, ALPHA), (np.full(150, share - 0.35), 0.95, 1)):
            hits = random.random((RUNS, len(shares))) < shares
            raised = (path(hits, low) >= 2 / ALPHA).any(1).mean()
            assert rarely <= raised <= often
    # Clopper and Pearson's limits of 0 and of all.
    assert (lower_limit(0, 9, 0.025), lower_limit(9, 9, 0.025)) == (0, pytest.approx(0.025 ** (1 / 9)))


def test_one_case_at_a_time_gives_the_same_as_all_at_once_and_survives_being_kept():
    random = np.random.default_rng(9)
    hits = random.random(60) < 0.8
    whole, evidence = path(hits, 0.9), Evidence()
    for place, hit in enumerate(hits):
        evidence = Evidence.of_json(evidence.after(bool(hit), 0.9).to_json())
        assert evidence.value == pytest.approx(whole[place], rel=1e-12)
    assert (evidence.cases, evidence.hits) == (60, int(hits.sum()))
    assert evidence.highest == pytest.approx(max(1.0, whole.max()))
    assert Evidence().value == 1.0 == Evidence.of_json(None).value


def test_the_mean_after_one_more_case_is_never_more_than_before():
    """The supermartingale itself, exactly: at the reference the mean stays, above it it falls."""
    evidence = Evidence()
    for hit in (True, False, True, True, False):
        hit_next, miss_next = (evidence.after(one, 0.8).value for one in (True, False))
        for share, is_fair in ((0.8, True), (0.9, False), (1.0, False)):
            mean = share * hit_next + (1 - share) * miss_next
            assert mean == pytest.approx(evidence.value, rel=1e-12) if is_fair else mean < evidence.value
        evidence = evidence.after(hit, 0.8)


@pytest.mark.parametrize("reference", [0.0, 0.999, 1.0, float("nan")])
def test_what_cannot_be_held_against_is_refused(reference):
    with pytest.raises(ValueError, match="reference"):
        Evidence().after(True, reference)
