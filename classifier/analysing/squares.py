"""Up to five squares of a photo that the network finds unlike the rest of it, for a person to choose from. Pure.

The photo, shrunk until its short side is the network's input, is cut into squares along its long side; the last feature
maps of each are laid side by side. Where their direction is far from the photo's median there may be something. The
best squares are those whose inside is further from it than their outside, weighed by how evenly they divide the photo
(the criterion of Otsu 1979, doi:10.1109/TSMC.1979.4310076, for a square instead of a threshold). What comes of it is
measured in ``docs/squares.md``: as the default it loses against the middle of the photo.
"""

import math

import numpy as np
from PIL import Image

from classifier.networks.preprocess import to_array
from classifier.runtimes.base import Runtime
from skinclinic.imaging.boxes import SMALLEST_BOX, Box, crop

MOST = 5
# Intersection over union from which two squares are the same.
OVERLAP = 0.5
# Sides, as shares of the photo's short side.
SHARES = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
# A photo that is longer, as a share of its short side, is no photo of a lesion, and gets no proposals.
LONGEST = 4
# Cells of the grid on which squares are searched, along the short side.
_CELLS = 40


def suggest(runtime: Runtime, photo: Image.Image) -> list[Box]:
    """Squares of an upright RGB photo, the likeliest first, at most ``MOST``, in pixels of the photo.

    None of a photo that is one colour, smaller than a square may be, or very long.
    """
    if min(photo.size) < SMALLEST_BOX or max(photo.size) > LONGEST * min(photo.size):
        return []
    tiles = tiles_of(photo.width, photo.height)
    preprocessing = runtime.manifest.preprocessing
    images = np.stack([to_array(crop(photo, tile), preprocessing) for tile in tiles])
    maps = runtime.feature_maps(images)
    if not np.isfinite(maps).all():
        return []
    return best(laid(unlike_median(maps), tiles, photo.width, photo.height), photo.width, photo.height)


def tiles_of(width: int, height: int) -> list[Box]:
    """The fewest squares, as large as may be and evenly spread, that cover a photo of this size."""
    side, longest = min(width, height), max(width, height)
    count = math.ceil(longest / side)
    starts = [round(n * (longest - side) / max(count - 1, 1)) for n in range(count)]
    return [Box(at, 0, side) if width >= height else Box(0, at, side) for at in starts]


def unlike_median(maps: np.ndarray) -> np.ndarray:
    """Feature maps [N, K, h, w] of one photo's tiles -> how far the direction of each cell's features is from the
    median direction of all of them: [N, h, w], in [0, 2] or a little more."""
    units = maps / (np.linalg.norm(maps, axis=1, keepdims=True) + 1e-6)
    median = np.median(units, axis=(0, 2, 3))[None, :, None, None]
    distances: np.ndarray = np.linalg.norm(units - median, axis=1)
    return distances


def laid(signals: np.ndarray, tiles: list[Box], width: int, height: int) -> np.ndarray:
    """Signals [N, h, w] of tiles of a photo, side by side on a grid with ``_CELLS`` along the short side: [rows,
    columns]. Where tiles overlap, their mean, in which a tile counts for less towards its edge: there it sees less."""
    cell = min(width, height) / _CELLS
    total = np.zeros((max(1, round(height / cell)), max(1, round(width / cell))))
    count = np.zeros_like(total)
    ramp = np.minimum(np.arange(_CELLS), np.arange(_CELLS)[::-1]) + 0.5
    weights = np.minimum(ramp[:, None], ramp)
    for signal, tile in zip(signals, tiles, strict=True):
        fine = Image.fromarray(signal.astype(np.float32)).resize((_CELLS, _CELLS), Image.Resampling.BILINEAR)
        top, left = round(tile.y / cell), round(tile.x / cell)
        here = np.s_[top : top + _CELLS, left : left + _CELLS]
        rows, columns = total[here].shape
        weight = weights[:rows, :columns]
        total[here] += np.asarray(fine)[:rows, :columns] * weight
        count[here] += weight
    covered: np.ndarray = total / np.where(count, count, 1)
    return covered


def best(signal: np.ndarray, width: int, height: int) -> list[Box]:
    """Up to ``MOST`` squares of a photo of this size by a signal [rows, columns] that is high where a lesion may be,
    the best first, none like another."""
    if float(np.ptp(signal)) < 1e-6:
        return []
    found = sorted(_rated(signal), key=lambda one: -one[0])
    kept: list[Box] = []
    for _value, top, left, side in found:
        box = _in_pixels(top, left, side, signal.shape, width, height)
        if all(overlap(box, other) < OVERLAP for other in kept):
            kept.append(box)
        if len(kept) == MOST:
            break
    return kept


def _rated(signal: np.ndarray) -> list[tuple[float, int, int, int]]:
    """(value, top, left, side) in cells of every square that comes into question and is more than the rest."""
    high, wide = signal.shape
    sums = np.pad(signal, ((1, 0), (1, 0))).cumsum(0).cumsum(1)
    every = high * wide
    rated: list[tuple[float, int, int, int]] = []
    for share in SHARES:
        side = round(share * min(high, wide))
        step = max(1, side // 8)
        tops, lefts = (
            np.unique([*range(0, most - side + 1, step), most - side, (most - side) // 2])
            for most in (high, wide)
        )
        top, left = np.meshgrid(tops, lefts, indexing="ij")
        inside = (
            sums[top + side, left + side] - sums[top, left + side] - sums[top + side, left] + sums[top, left]
        )
        area = side * side
        outside = (sums[-1, -1] - inside) / max(every - area, 1)
        values = (inside / area - outside) * math.sqrt(area / every * (1 - area / every))
        good = values > 0
        rated += [
            (value, row, column, side)
            for value, row, column in zip(
                values[good].tolist(), top[good].tolist(), left[good].tolist(), strict=True
            )
        ]
    return rated


def _in_pixels(top: int, left: int, side: int, cells: tuple[int, ...], width: int, height: int) -> Box:
    size = min(max(SMALLEST_BOX, round(side * min(width, height) / min(cells))), width, height)
    x, y = round(left * width / cells[1]), round(top * height / cells[0])
    return Box(min(x, width - size), min(y, height - size), size)


def overlap(one: Box, other: Box) -> float:
    """Intersection over union of two squares."""
    across, down = (
        max(0, min(a + one.size, b + other.size) - max(a, b)) for a, b in ((one.x, other.x), (one.y, other.y))
    )
    common = across * down
    return common / (one.size**2 + other.size**2 - common)
