"""From a crop to a network's input."""

import numpy as np
import pytest
from PIL import Image

from classifier.networks.preprocess import Preprocessing, to_array
from tests.cases import each

MEAN, STD = (0.5, 0.25, 0.0), (0.5, 0.25, 1.0)


def test_values_are_scaled_to_mean_and_deviation_channel_by_channel():
    array = to_array(Image.new("RGB", (64, 64), (255, 51, 102)), Preprocessing(32, MEAN, STD))
    assert array.shape == (3, 32, 32)
    assert array.dtype == np.float32
    np.testing.assert_allclose(array[:, 5, 9], [1, -0.2, 0.4], atol=1e-6)


def test_bgr_networks_get_blue_first():
    preprocessing = Preprocessing(32, (0, 0, 0), (1, 1, 1), channel_order="bgr")
    array = to_array(Image.new("RGB", (32, 32), (255, 51, 102)), preprocessing)
    np.testing.assert_allclose(array[:, 0, 0], [0.4, 0.2, 1], atol=1e-6)


def test_a_caffe_networks_mean_subtraction_can_be_said():
    mean = tuple(value / 255 for value in (104, 117, 123))
    array = to_array(
        Image.new("RGB", (32, 32), (255, 51, 102)),
        Preprocessing(32, mean, (1 / 255,) * 3, channel_order="bgr"),
    )
    np.testing.assert_allclose(array[:, 0, 0], [102 - 104, 51 - 117, 255 - 123], atol=1e-3)


@pytest.mark.parametrize("resize", ["bilinear", "bicubic"])
def test_shrinking_averages_instead_of_picking_pixels(resize):
    stripes = np.zeros((512, 512, 3), np.uint8)
    stripes[:, ::2] = 255
    array = to_array(Image.fromarray(stripes), Preprocessing(64, (0, 0, 0), (1, 1, 1), resize=resize))
    np.testing.assert_allclose(array, 0.5, atol=0.02)


def test_rows_and_columns_stay_where_they_are():
    corner = Image.new("RGB", (64, 64))
    corner.paste((255, 255, 255), (32, 0, 64, 32))  # top right
    array = to_array(corner, Preprocessing(32, (0, 0, 0), (1, 1, 1)))
    assert array[0, 4, 28] == 1
    assert array[0, 28, 4] == 0


def test_a_crop_that_is_not_square_is_refused():
    with pytest.raises(ValueError, match="not square"):
        to_array(Image.new("RGB", (64, 65)), Preprocessing(32, MEAN, STD))


@each(
    "wrong",
    [
        {"input_size": 16},
        {"input_size": 224.0},
        {"input_size": True},
        {"mean": (0.5, 0.5)},
        {"mean": (0.5, float("nan"), 0.5)},
        {"std": (0.5, 0.0, 0.5)},
        {"channel_order": "hsv"},
        {"resize": "nearest"},
    ],
)
def test_wrong_settings_are_refused(wrong):
    with pytest.raises(ValueError):
        Preprocessing(**{"input_size": 224, "mean": MEAN, "std": STD} | wrong)
