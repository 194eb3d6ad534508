"""Drawings that show none of the 12 diseases: bare skin, surfaces and everyday patterns.

They teach a network what "not among these 12" looks like. Pure numpy, OpenCV and Pillow.
"""

import cv2
import numpy as np
from PIL import Image

from classifier.drawings.canvas import Canvas
from classifier.drawings.synthetic import plain_skin


def not_a_lesion(seed: int, size: int = 512) -> Image.Image:
    """Draw bare skin (every third seed) or another surface as an RGB image of ``size`` x ``size`` pixels.

    The same arguments give the same pixels.
    """
    if seed % 3 == 0:
        return plain_skin(seed, size)
    canvas = Canvas(size, np.random.default_rng([seed, 12]))
    painters = (_cloth, _tiles, _page, _clouds, _boxes, _grain)
    painters[int(canvas.rng.integers(len(painters)))](canvas)
    return Image.fromarray(canvas.finish())


def _two_colours(c: Canvas) -> tuple[np.ndarray, np.ndarray]:
    first, second = c.rng.uniform(0.05, 0.95, (2, 3)).astype(np.float32)
    return first, second


def _along(c: Canvas, turn: float) -> np.ndarray:
    return c.x * np.float32(np.cos(turn)) + c.y * np.float32(np.sin(turn))


def _cloth(c: Canvas) -> None:
    ground, stripe = _two_colours(c)
    turn, pitch = c.rng.uniform(0, np.pi), c.rng.uniform(8, 40)
    bands = 0.5 + 0.5 * np.sin(pitch * _along(c, turn))
    if c.rng.random() < 0.5:
        bands = np.maximum(bands, 0.5 + 0.5 * np.sin(pitch * _along(c, turn + np.pi / 2)))
    c.picture[:] = ground
    c.blend(stripe, bands)


def _tiles(c: Canvas) -> None:
    ground, tile = _two_colours(c)
    turn, pitch = c.rng.uniform(0, np.pi / 2), c.rng.uniform(2, 7)
    squares = (np.floor(pitch * _along(c, turn)) + np.floor(pitch * _along(c, turn + np.pi / 2))) % 2
    c.picture[:] = ground
    c.blend(tile, squares.astype(np.float32))


def _page(c: Canvas) -> None:
    c.picture[:] = c.rng.uniform(0.8, 1.0)
    words = []
    for line in np.arange(-0.95, 1, c.rng.uniform(0.09, 0.2)):
        starts = np.arange(-0.95, c.rng.uniform(0, 0.9), 0.17)
        words += [c.wander((start, line), 0, c.rng.uniform(0.05, 0.14), 1.5) for start in starts]
    c.blend(c.rng.uniform(0, 0.3, 3), c.lines(words, 0.012))


def _clouds(c: Canvas) -> None:
    low, high = _two_colours(c)
    c.picture[:] = low
    c.blend(high, 0.5 + 0.4 * c.noise(c.rng.uniform(1, 4)))


def _boxes(c: Canvas) -> None:
    c.picture[:] = c.rng.uniform(0.2, 0.95, 3)
    for _ in range(c.rng.integers(2, 9)):
        (left, top), (width, height) = c.rng.integers(0, c.size, 2), c.rng.integers(c.size // 10, c.size, 2)
        colour = tuple(float(value) for value in c.rng.uniform(0, 1, 3))
        cv2.rectangle(c.picture, (int(left), int(top)), (int(left + width), int(top + height)), colour, -1)


def _grain(c: Canvas) -> None:
    ground, grain = _two_colours(c)
    c.picture[:] = ground
    c.blend(grain, np.clip(0.4 * np.abs(c.noise(c.rng.uniform(20, 90), 3)), 0, 1))
