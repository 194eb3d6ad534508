"""Heatmaps: scaling, resizing, colours."""

import matplotlib
import numpy as np
import pytest
from PIL import Image

from classifier.networks.cam import to_heatmaps
from classifier.plots.colormaps import COLORMAPS, heatmap_rgb, overlay, smooth, three_panels

MAPS = np.random.default_rng(3).normal(size=(2, 12, 7, 7)).astype(np.float32)


def test_heatmaps_reach_from_0_to_1_and_keep_the_order_of_cells():
    heatmaps = to_heatmaps(MAPS)
    assert heatmaps.shape == MAPS.shape
    assert heatmaps.dtype == np.float16
    assert (heatmaps.min(axis=(2, 3)) == 0).all()
    assert (heatmaps.max(axis=(2, 3)) == 1).all()
    np.testing.assert_array_equal(heatmaps.argmax(axis=3), np.maximum(MAPS, 0).argmax(axis=3))


def test_what_speaks_against_the_disease_is_cut_off():
    heatmap = to_heatmaps(np.array([[-5.0, 0.0], [1.0, 4.0]]))
    np.testing.assert_array_equal(heatmap, [[0, 0], [0.25, 1]])


def test_a_positive_factor_changes_nothing():
    np.testing.assert_allclose(to_heatmaps(MAPS * 1e-6), to_heatmaps(MAPS), atol=1e-3)


@pytest.mark.parametrize("value", [-3.0, 0.0, 2.5])
def test_a_flat_map_is_0_everywhere(value):
    assert not to_heatmaps(np.full((1, 7, 7), value)).any()


@pytest.mark.parametrize("name", ["cividis", "jet"])
def test_colours_are_matplotlibs(name):
    expected = matplotlib.colormaps[name](np.arange(256), bytes=True)[:, :3]
    np.testing.assert_array_equal(COLORMAPS[name], expected)


def test_the_hottest_cell_has_the_last_colour_and_lies_where_it_should():
    heatmap = np.zeros((4, 4), np.float32)
    heatmap[0, 3] = 1
    pixels = np.asarray(heatmap_rgb(heatmap, 64))
    assert tuple(pixels[0, 63]) == tuple(COLORMAPS["cividis"][255])
    assert tuple(pixels[63, 0]) == tuple(COLORMAPS["cividis"][0])


def test_opacity_goes_from_the_photo_to_the_heatmap():
    photo = Image.new("RGB", (64, 64), (200, 100, 50))
    heatmap = to_heatmaps(MAPS)[0, 1]
    np.testing.assert_array_equal(overlay(photo, heatmap, 0), photo)
    for opacity in (0.5, 1):
        alpha = opacity * smooth(heatmap, 64)[..., None]  # low is clear, whatever the opacity
        expected = (
            np.asarray(photo, float) * (1 - alpha) + np.asarray(heatmap_rgb(heatmap, 64), float) * alpha
        )
        np.testing.assert_allclose(np.asarray(overlay(photo, heatmap, opacity), float), expected, atol=1.5)


def test_three_panels_are_photo_overlay_and_heatmap():
    photo = Image.new("RGB", (90, 90), (200, 100, 50))
    heatmap = to_heatmaps(MAPS)[0, 1]
    panels = three_panels(photo, heatmap, side=64)
    assert panels.size == (192, 64)
    assert panels.getpixel((10, 10)) == (200, 100, 50)
    np.testing.assert_array_equal(panels.crop((128, 0, 192, 64)), heatmap_rgb(heatmap, 64))
    middle = overlay(photo.resize((64, 64)), heatmap)
    np.testing.assert_array_equal(panels.crop((64, 0, 128, 64)), middle)
    told = np.asarray(three_panels(photo, heatmap, side=64, caption=["악성흑색종 · a model", "no diagnosis"]))
    np.testing.assert_array_equal(told[:64], panels)
    assert told.shape[0] > 64 and (told[64:] < 128).any()


def test_a_map_is_enlarged_as_in_the_browser():
    """Every cell keeps its value in its middle, nothing is scaled anew, and between two cells lies the cubic."""
    heatmap = np.array([[0.2, 0.6], [0.2, 0.6]])
    enlarged = smooth(heatmap, 6)
    assert enlarged.shape == (6, 6)
    np.testing.assert_allclose(enlarged[1], enlarged[4])
    np.testing.assert_allclose(enlarged[0, [1, 4]], [0.2, 0.6], atol=1e-6)
    # At a third of the way from 0.2 to 0.6, both neighbours clamped: Catmull and Rom's weights by hand.
    np.testing.assert_allclose(enlarged[0, 2], 0.2 + 0.4 * (8 / 27), atol=1e-6)
