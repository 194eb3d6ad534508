"""Crop boxes: what fits, what does not, and what is cut out."""

from decimal import Decimal

import numpy as np
import pytest
from PIL import Image

from skinclinic import imaging
from skinclinic.imaging import Box
from tests.cases import each


def code_of(box, width=400, height=300) -> str:
    with pytest.raises(imaging.BoxRejected) as caught:
        imaging.check_box(box, width, height)
    assert caught.value.message == imaging.MESSAGES[caught.value.code] % caught.value.params
    return caught.value.code


@pytest.mark.parametrize(
    "width, height, expected",
    [
        (400, 300, Box(50, 0, 300)),
        (300, 400, Box(0, 50, 300)),
        (301, 300, Box(0, 0, 300)),
        (64, 64, Box(0, 0, 64)),
    ],
)
def test_largest_centred_square(width, height, expected):
    assert imaging.largest_centred_square(width, height) == expected
    assert imaging.check_box(expected, width, height) == expected


@each(
    "box",
    [
        Box(10, 20, 100),
        (10, 20, 100),
        [10, 20, 100, 100],
        {"x": 10, "y": 20, "size": 100},
        {"x": 10, "y": 20, "width": 100, "height": 100},
        {"x": "10", "y": "20", "size": "100"},
        {"x": 9.6, "y": 20.4, "size": 100.49},
        (Decimal(10), 20.0, "100"),
        np.array([10, 20, 100]),
    ],
)
def test_same_box_however_it_is_written(box):
    checked = imaging.check_box(box, 400, 300)
    assert checked == Box(10, 20, 100)
    assert all(type(value) is int for value in (checked.x, checked.y, checked.size))


@pytest.mark.parametrize("size", [32, 300])
def test_smallest_and_largest(size):
    assert imaging.check_box((0, 0, size), 400, 300).size == size
    assert imaging.check_box((400 - size, 300 - size, size), 400, 300).size == size


@each("nothing", [float("nan"), float("inf"), "", "ten", None, True, [1], "1e999", 10**400])
@each("place", range(3))
def test_not_numbers(nothing, place):
    box = [10, 20, 100]
    box[place] = nothing
    assert code_of(box) == "box_not_numbers"


@each("box", [None, 5, "10,20,100", "123", (), (1, 2), (1, 2, 3, 4, 5), {}, {"x": 1, "y": 2}, b"123"])
def test_not_a_box(box):
    assert code_of(box) == "box_not_numbers"


@pytest.mark.parametrize("size", [0, -1, -100, 0.4])
def test_empty(size):
    assert code_of((10, 10, size)) == "box_empty"


@pytest.mark.parametrize("box", [(10, 10, 100, 0), (10, 10, -5, -5)])
def test_empty_rectangle(box):
    assert code_of(box) == "box_empty"


def test_not_square():
    assert code_of((10, 10, 100, 101)) == "box_not_square"
    assert code_of({"x": 10, "y": 10, "width": 100, "height": 90}) == "box_not_square"
    assert code_of({"x": 10, "y": 10, "size": 100, "height": 90}) == "box_not_square"


@each("box", [(-1, 0, 100), (0, -1, 100), (301, 0, 100), (0, 201, 100), (0, 0, 301), (10**12, 0, 50)])
def test_outside(box):
    assert code_of(box) == "box_outside"


def test_too_small():
    assert code_of((10, 10, 31)) == "box_too_small"


def test_crop_takes_exactly_the_box():
    pixels = np.arange(400 * 300 * 3, dtype=np.uint32).astype(np.uint8).reshape(300, 400, 3)
    crop = imaging.crop(Image.fromarray(pixels), Box(37, 21, 64))
    assert np.array_equal(np.asarray(crop), pixels[21:85, 37:101])
