"""mm of marked lengths: what they may be off follows from the marking, and no digit is told that it does not carry."""

import math
import random
import statistics

import pytest

from skinclinic.imaging.measuring import Length, Line, in_mm
from tests.cases import each

SCALE = Line((0, 0, 300, 400))


def test_a_length_by_a_scale_with_what_it_may_be_off():
    found = in_mm(Line((10, 10, 90, 70)), SCALE, 50)
    assert found.mm == pytest.approx(10)
    assert found.off == pytest.approx(10 * math.hypot(3 / 100, 3 / 500))
    assert (found.mm_told, found.off_told) == ("10.0", "0.4")


def test_it_covers_what_marking_beside_the_ends_does():
    """Each end a pixel and a half beside, any way: not one in twenty lengths is off by more."""
    chance, line = random.Random(4), Line((20, 30, 120, 60))
    right = in_mm(line, SCALE, 50)

    def marked(points):
        moved = list(points)
        for end in (0, 2):
            way = chance.uniform(0, 2 * math.pi)
            moved[end] += 1.5 * math.cos(way)
            moved[end + 1] += 1.5 * math.sin(way)
        return Line(tuple(moved))

    misses = [in_mm(marked(line.points), marked(SCALE.points), 50).mm - right.mm for _n in range(2000)]
    assert sum(abs(miss) > right.off for miss in misses) < 100
    assert statistics.fmean(misses) == pytest.approx(0, abs=0.05)


@each(
    "mm, off, told",
    [
        (8.26, 0.12, ("8.3", "0.2")),
        (8.26, 0.004, ("8.3", "0.1")),
        (8.26, 0.5, ("8", "1")),
        (42.4, 6.1, ("42", "7")),
        (4.0, 0.2, ("4.0", "0.2")),
    ],
)
def test_no_digit_is_told_that_is_not_carried(mm, off, told):
    length = Length(mm, off)
    assert (length.mm_told, length.off_told) == told


def test_what_is_too_short_says_nothing():
    assert in_mm(Line((0, 0, 5, 0)), SCALE, 50) is None
    assert in_mm(Line((0, 0, 90, 0)), Line((0, 0, 15, 0)), 10) is None
    # The same length, marked where the photo was shown ten times smaller.
    assert in_mm(Line((0, 0, 50, 0), off=15), SCALE, 50) is None
