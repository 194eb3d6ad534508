"""Readers against themselves and the periods of a crossover, against figures worked out elsewhere."""

import numpy as np
import pytest

from reader_study.statistics.coded import parts
from reader_study.statistics.periods import periods
from reader_study.statistics.repeats import Twice, agreement_with_self
from reader_study.statistics.tables import Answer, Image, StudyTables

KAPPA, SE = 0.4285714285714286, 0.0759588315346638


def test_a_reader_is_held_against_the_same_reader():
    # The standard error is that of the delta method with kappa's derivatives taken by complex steps.
    counts = np.array([[53, 5, 2], [11, 14, 5], [1, 6, 3]])
    keys = ("bcc", "mm", "sk")
    pairs = [
        Twice("unaided", "R01", "g", f"{i}{j}{n}", keys[i], keys[j])
        for i in range(3)
        for j in range(3)
        for n in range(counts[i, j])
    ]
    found = agreement_with_self([*pairs, Twice("unaided", "R01", "g", "x", "bcc", "")])["unaided"]
    one = found["readers"]["R01"]
    assert (one["photos"], one["same"], one["unanswered"]) == (100, 70, 1)
    assert one["kappa"] == pytest.approx(KAPPA, rel=1e-12)
    assert one["kappa_ci"] == pytest.approx(
        [KAPPA - 1.959963984540054 * SE, KAPPA + 1.959963984540054 * SE], rel=1e-9
    )
    assert one["share_ci"] == pytest.approx([0.604151, 0.781052], abs=1e-6)
    assert found["share"] == {"mean": 0.7, "sd": None, "ci": None, "n_readers": 1}

    two = agreement_with_self([*pairs, Twice("unaided", "R02", "g", "a", "bcc", "bcc")])["unaided"]
    assert two["readers"]["R02"]["kappa"] is None, "one answer throughout is agreement by chance alone"
    assert (
        two["share"]["mean"] == 0.85 and two["share"]["ci"] == [0.0, 1.0] and two["kappa"]["n_readers"] == 1
    )
    assert agreement_with_self([]) == {}


def test_the_period_of_a_crossover_is_told_from_the_session():
    # Right of 10 photos in the first and in the second period.
    right = {
        ("unaided", "aided"): [(5, 8), (6, 7), (4, 8)],
        ("aided", "unaided"): [(6, 7), (7, 6), (6, 6)],
    }
    images = tuple(Image(str(n), "A", "bcc") for n in range(10))
    answers, orders = [], {}
    for order, counts in right.items():
        for pair in counts:
            reader = f"R{len(orders):02d}"
            orders[reader] = order
            for session, n in zip(order, pair, strict=True):
                answers += [
                    Answer(session, reader, "g", image.name, "bcc" if place < n else "mm")
                    for place, image in enumerate(images)
                ]
    (part,) = parts(
        StudyTables(images, None, tuple(sorted(answers, key=lambda one: one.session != "unaided")))
    )
    found = periods(part, orders)
    assert (found["earlier"], found["later"]) == ("unaided", "aided")
    wrong = found["missing_is_wrong"]
    # R 4's t.test(c(.3, .1, .4), c(-.1, .1, 0), var.equal = TRUE), halved; the orders here make both effects equal.
    for name in ("period", "session"):
        assert wrong[name]["value"] == pytest.approx(0.1333333333333333) and wrong[name]["df"] == 4
        assert wrong[name]["ci"] == pytest.approx([-0.0129981721808472, 0.2796648388475138], rel=1e-9)
        assert (wrong[name]["t"], wrong[name]["p"]) == pytest.approx((2.5298221281347031, 0.0646768939563531))
    assert wrong["orders"][0] == {
        "order": ["unaided", "aided"], "n_readers": 3, "first": pytest.approx(0.5), "second": pytest.approx(23 / 30)
    }  # fmt: skip
    assert periods(part, {"R00": ("unaided",)}) is None
    alone = periods(part, {"R00": ("unaided", "aided")})["as_read"]
    assert alone["period"]["value"] is None and alone["period"]["note"] == "no_answers"
