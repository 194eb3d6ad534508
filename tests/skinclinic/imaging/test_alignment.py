"""Photos laid over each other: a known way back is found, and what does not fit is refused with its reason.

How well it does on real photos: ``measure_alignment.py``.
"""

from io import BytesIO

import cv2
import numpy as np
import pytest
from PIL import Image

from skinclinic.imaging import alignment, encode_jpeg
from skinclinic.imaging.alignment import CannotAlign, align, align_grey, inverse

SIZE = 240


def skin(seed: int, width: int = SIZE, height: int = SIZE) -> np.ndarray:
    """Grain of many sizes, which no two share."""
    chance = np.random.default_rng(seed)
    layers = [
        cv2.GaussianBlur(chance.normal(0, 1, (height, width)), (0, 0), blur) * blur for blur in (1.5, 4, 12)
    ]
    grain = sum(layers)
    return np.clip(128 + 40 * grain / grain.std(), 0, 255).astype(np.uint8)


def laid(picture: np.ndarray, turn: float, scale: float) -> tuple[np.ndarray, np.ndarray]:
    """The picture turned and scaled, in another light, and the way back."""
    height, width = picture.shape
    way = cv2.getRotationMatrix2D((width / 2, height / 2), turn, scale)
    view = cv2.warpAffine(picture, way, (width, height)).astype(float)
    return np.clip(view * 0.8 + 20, 0, 255).astype(np.uint8), cv2.invertAffineTransform(way)


def refused(one: np.ndarray, two: np.ndarray) -> str:
    with pytest.raises(CannotAlign) as caught:
        align_grey(one, two)
    return caught.value.reason


def test_a_known_way_back_is_found_in_pixels_as_stored():
    picture = skin(1)
    view, truth = laid(picture, 25, 0.9)
    # The second is stored twice as large.
    larger = Image.fromarray(view).resize((SIZE * 2, SIZE * 2), Image.Resampling.BICUBIC).convert("RGB")
    found = align(encode_jpeg(Image.fromarray(picture).convert("RGB")), encode_jpeg(larger))
    a, b, c, d, e, f = found.matrix
    for x, y in ((SIZE / 2, SIZE / 2), (75, 165), (170, 80)):
        wanted = truth @ [x, y, 1]
        at = (a * 2 * x + c * 2 * y + e, b * 2 * x + d * 2 * y + f)
        assert np.hypot(*(wanted - at)) < 1.5
        assert np.allclose(np.array(inverse(found.matrix)).reshape(3, 2).T @ [*at, 1], (2 * x, 2 * y))
    assert found.points > 30 and found.error < 0.005


def test_what_does_not_fit_is_refused_with_the_reason():
    picture = skin(1)
    assert refused(picture, skin(2)) == alignment.FEW_MATCHES
    assert refused(picture, np.full((SIZE, SIZE), 130, np.uint8)) == alignment.FEW_POINTS
    assert (
        refused(cv2.resize(picture, None, fx=1.9, fy=1.9), cv2.resize(picture, None, fx=0.6, fy=0.6))
        == alignment.SCALE
    )
    slanted = cv2.resize(picture, None, fx=1.0, fy=0.72)
    assert refused(picture, slanted) in (alignment.SLANT, alignment.FEW_MATCHES)
    # Half of one photo is in the other, with something else beside it.
    shared = np.hstack([picture[:, :50], skin(3)[:, 50:]])
    assert refused(picture, shared) in (alignment.ONE_CORNER, alignment.FEW_MATCHES, alignment.UNLIKE)


def test_what_is_no_stored_photo_is_an_error():
    buffer = BytesIO()
    Image.new("RGB", (200, 200)).save(buffer, "PNG")
    with pytest.raises(OSError):
        align(buffer.getvalue(), buffer.getvalue())
