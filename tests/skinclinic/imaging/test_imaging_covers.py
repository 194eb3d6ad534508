"""Covers over a photo: nothing of what was there is left, the rest is as it was."""

import numpy as np
import pytest

from skinclinic import imaging
from skinclinic.imaging import Box, Cover, CoverRejected
from tests import factories
from tests.cases import each


def pixels(jpeg: bytes) -> np.ndarray:
    return np.asarray(imaging.open_rgb(jpeg)).astype(int)


def test_what_is_covered_is_one_grey_and_the_rest_stays():
    stored = imaging.accept(factories.jpeg_bytes()).jpeg
    jpeg, thumbnail = imaging.covered(stored, [Cover(40, 30, 64, 48), Cover(200, 100, 80, 60, "ellipse")])
    before, after = pixels(stored), pixels(jpeg)
    assert abs(after[34:74, 44:100] - 128).max() <= 8, "the box, but for what JPEG makes of its edge"
    assert abs(after[122:138, 224:256] - 128).max() <= 8, "the middle of the ellipse"
    assert abs(after[100:104, 200:204] - before[100:104, 200:204]).max() < 30, (
        "the corner outside the ellipse"
    )
    assert abs(after[180:, :150] - before[180:, :150]).mean() < 3
    assert imaging.open_rgb(thumbnail).size == (320, 256)
    assert imaging.accept(jpeg).jpeg == jpeg, (
        "written by the product's own writer, with nothing beside the picture"
    )


def test_which_squares_a_cover_touches():
    one = Cover(10, 10, 20, 20)
    assert one.touches(Box(0, 0, 32)) and one.touches(Box(29, 29, 32))
    assert not one.touches(Box(30, 0, 32)) and not one.touches(Box(0, 30, 32))


@each(
    "sent, code",
    [
        ([], "covers_none"),
        (None, "covers_none"),
        ("areas", "covers_none"),
        ({"x": 1}, "covers_none"),
        ([{}] * 41, "covers_too_many"),
        ([7], "cover_not_numbers"),
        ([{"x": 1, "y": 1, "width": 20}], "cover_not_numbers"),
        ([{"x": "left", "y": 1, "width": 20, "height": 20}], "cover_not_numbers"),
        ([{"x": True, "y": 1, "width": 20, "height": 20}], "cover_not_numbers"),
        ([{"x": "nan", "y": 1, "width": 20, "height": 20}], "cover_not_numbers"),
        ([{"x": "1e400", "y": 1, "width": 20, "height": 20}], "cover_not_numbers"),
        ([{"x": 0, "y": 0, "width": 20, "height": 20, "shape": "star"}], "cover_shape"),
        ([{"x": 0, "y": 0, "width": 7, "height": 20}], "cover_too_small"),
        ([{"x": 0, "y": 0, "width": -40, "height": 20}], "cover_too_small"),
        ([{"x": -1, "y": 0, "width": 20, "height": 20}], "cover_outside"),
        ([{"x": 81, "y": 0, "width": 20, "height": 20}], "cover_outside"),
    ],
)
def test_areas_that_are_none(sent, code):
    with pytest.raises(CoverRejected) as refused:
        imaging.check_covers(sent, 100, 80)
    assert refused.value.code == code


def test_areas_as_forms_send_them():
    sent = [{"x": "0", "y": "0.4", "width": "100", "height": 80, "shape": ""}]
    assert imaging.check_covers(sent, 100, 80) == [Cover(0, 0, 100, 80)]
