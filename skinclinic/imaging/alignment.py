"""Laying a photo of a lesion over an earlier one: the similarity that brings the one onto the other, or why none is
trusted. Pure.

Points that look alike in both (SIFT) are matched both ways, and RANSAC looks for the turn, scale and shift that most
of them agree on. Skin has few landmarks and many hairs, so a fit is taken only if everything speaks for it: enough
points that agree, spread over the picture; no scale and no slant that two photos of one lesion would not have; enough
of the pictures in common; and, once laid over it, a picture that is like the other where they meet. Otherwise it is
refused with the reason: photos that are shown as they are mislead nobody, a wrong fit does.

On the 1,006 photos of PAD-UFES-20 that are at hand (up to 513 pixels; ``PAIRS=600 python -m
tests.skinclinic.imaging.measure_alignment``): of 600 pairs of different patients none was taken. Of 300 photos against
themselves turned by up to 60°, scaled by 0.65 to 1.5, shifted, lit, blurred and compressed otherwise 287 were taken,
beside the truth by 0.5 pixels of 1,000 in the median, 1.2 in 95 % and 2.2 at most; with a slant on top, which no
similarity follows, 94 of 300, beside it by 4.4, 12.7 and 26.5, the others refused. Of the 132 pairs of one lesion 19
were taken, all rightly by eye: most of the others show too little of the same skin. A pair took 0.3 to 1.4 seconds of
one core.
"""

from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

# The long side in which photos are compared: time and memory are bounded whatever was sent.
SIDE = 1000
# What changes an answer changes the number, so that none of before is told.
METHOD = 2

FEW_POINTS, FEW_MATCHES, ONE_CORNER, SCALE, SLANT, APART, UNLIKE = (
    "few_points", "few_matches", "one_corner", "scale", "slant", "apart", "unlike",
)  # fmt: skip

_MOST_POINTS = 2500
_RATIO = 0.8
_LEAST_MATCHES = 15
_LEAST_SHARE = 0.2
# Squares of a grid of 5 × 5 over what the pictures have in common.
_GRID = 5
_LEAST_SQUARES = 5
_LARGEST_SCALE = 2.5
_LARGEST_SLANT = 1.25
# A view from another side (a homography) that explains so many times the points is what happened.
_MOST_OTHERWISE = 2.0
_NEAR = 0.008
_LEAST_COMMON = 0.25
_LEAST_LIKENESS = 0.35


class CannotAlign(Exception):
    """The photos are not laid over each other; ``reason`` is one of the codes above."""

    def __init__(self, reason: str):
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Alignment:
    """``matrix`` (a, b, c, d, e, f) brings a point of the second photo to x = ax + cy + e, y = bx + dy + f of the
    first, both in pixels as stored. ``points`` agree; ``error`` is their median distance as a share of the first
    photo's long side."""

    matrix: tuple[float, float, float, float, float, float]
    points: int
    error: float


def align(first: bytes, second: bytes) -> Alignment:
    """Find how the second photo lies over the first. For bytes that `accept` wrote. Raises CannotAlign, OSError."""
    (one, shrunk_one), (two, shrunk_two) = _grey(first), _grey(second)
    found = align_grey(one, two)
    a, b, c, d, e, f = found.matrix
    # From the small pictures back to the photos as they are stored.
    grown = shrunk_two / shrunk_one
    matrix = (a * grown, b * grown, c * grown, d * grown, e / shrunk_one, f / shrunk_one)
    return Alignment(matrix, found.points, found.error)


def align_grey(one: np.ndarray, two: np.ndarray) -> Alignment:
    """The same of two grey pictures, in their own pixels."""
    import cv2

    cv2.setRNGSeed(1)
    places_one, places_two = _matched(one, two)
    side = max(one.shape)
    fit, kept = cv2.estimateAffinePartial2D(
        places_two, places_one, method=cv2.RANSAC, ransacReprojThreshold=_NEAR * side,
        maxIters=5000, confidence=0.9999, refineIters=20,
    )  # fmt: skip
    agree = kept.ravel().astype(bool) if fit is not None else np.zeros(len(places_one), bool)
    if agree.sum() < max(_LEAST_MATCHES, _LEAST_SHARE * len(agree)):
        raise CannotAlign(FEW_MATCHES)
    if _agree_from_the_side(places_two, places_one, _NEAR * side) > _MOST_OTHERWISE * agree.sum():
        raise CannotAlign(SLANT)
    places_one, places_two = places_one[agree], places_two[agree]
    scale = float(np.hypot(fit[0, 0], fit[1, 0]))
    if not 1 / _LARGEST_SCALE <= scale <= _LARGEST_SCALE:
        raise CannotAlign(SCALE)
    if _slant(places_two, places_one) > _LARGEST_SLANT:
        raise CannotAlign(SLANT)
    laid, common = _laid_over(one, two, fit)
    if common.mean() < _LEAST_COMMON:
        raise CannotAlign(APART)
    if _squares(places_one, common) < _LEAST_SQUARES:
        raise CannotAlign(ONE_CORNER)
    if _likeness(one, laid, common) < _LEAST_LIKENESS:
        raise CannotAlign(UNLIKE)
    misses = np.linalg.norm(places_two @ fit[:, :2].T + fit[:, 2] - places_one, axis=1)
    (a, c, e), (b, d, f) = fit.tolist()
    return Alignment((a, b, c, d, e, f), int(agree.sum()), float(np.median(misses)) / side)


def inverse(matrix: tuple[float, ...]) -> tuple[float, float, float, float, float, float]:
    """How the first lies over the second."""
    a, b, c, d, e, f = matrix
    size = a * d - b * c
    return (d / size, -b / size, -c / size, a / size, (c * f - d * e) / size, (b * e - a * f) / size)


def _grey(jpeg_bytes: bytes) -> tuple[np.ndarray, float]:
    """The photo in grey, its long side at most ``SIDE``, and its size as a share of the stored."""
    try:
        image = JpegImageFile(BytesIO(jpeg_bytes))
        stored = max(image.size)
        image.draft("L", (SIDE, SIDE))
        image.load()
    except SyntaxError as error:
        raise OSError("not a stored photo") from error
    grey = image.convert("L")
    if max(grey.size) > SIDE:
        grey.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    return np.asarray(grey), max(grey.size) / stored


def _even(grey: np.ndarray) -> Any:
    """With as much contrast everywhere: another light and a fainter flash change little then."""
    import cv2

    return cv2.createCLAHE(clipLimit=3.0, tileGridSize=(8, 8)).apply(grey)


def _matched(one: np.ndarray, two: np.ndarray) -> tuple[Any, Any]:
    """Places of points that are each other's nearest, clearly nearer than the next."""
    import cv2

    detector = cv2.SIFT.create(nfeatures=_MOST_POINTS, contrastThreshold=0.02)
    (points_one, said_one), (points_two, said_two) = (
        detector.detectAndCompute(_even(grey), None) for grey in (one, two)
    )
    if min(len(points_one), len(points_two)) < _LEAST_MATCHES:
        raise CannotAlign(FEW_POINTS)
    matcher = cv2.BFMatcher(cv2.NORM_L2)
    there, back = _clear(matcher, said_one, said_two), _clear(matcher, said_two, said_one)
    pairs = [(n, m) for n, m in there.items() if back.get(m) == n]
    if len(pairs) < _LEAST_MATCHES:
        raise CannotAlign(FEW_MATCHES)
    return (
        np.array([points_one[n].pt for n, _m in pairs], np.float32),
        np.array([points_two[m].pt for _n, m in pairs], np.float32),
    )


def _clear(matcher: Any, said_one: Any, said_two: Any) -> dict[int, int]:
    found = matcher.knnMatch(said_one, said_two, k=2)
    return {
        pair[0].queryIdx: pair[0].trainIdx
        for pair in found
        if len(pair) == 2 and pair[0].distance < _RATIO * pair[1].distance
    }


def _agree_from_the_side(places: Any, onto: Any, near: float) -> int:
    """How many points agree if the second picture may have been taken from another side."""
    import cv2

    _fit, kept = cv2.findHomography(places, onto, cv2.RANSAC, near, maxIters=5000, confidence=0.999)
    return 0 if kept is None else int(kept.sum())


def _slant(places: Any, onto: Any) -> float:
    """How much more the points are stretched one way than the other: 1 is a picture taken from the same side."""
    design = np.column_stack([places, np.ones(len(places))])
    solved, *_rest = np.linalg.lstsq(design, onto, rcond=None)
    most, least = np.linalg.svd(solved[:2], compute_uv=False)
    return float(most / max(least, 1e-9))


def _laid_over(one: np.ndarray, two: np.ndarray, fit: Any) -> tuple[np.ndarray, np.ndarray]:
    """The second picture in the place of the first, and where it covers it."""
    import cv2

    size = (one.shape[1], one.shape[0])
    laid = cv2.warpAffine(two, fit, size, flags=cv2.INTER_AREA)
    common = cv2.warpAffine(np.full_like(two, 255), fit, size, flags=cv2.INTER_NEAREST) > 0
    return laid, common


def _squares(places: Any, common: np.ndarray) -> int:
    """In how many squares of a grid over the common part points lie."""
    rows, columns = np.nonzero(common)
    low = np.array([columns.min(), rows.min()])
    span = np.array([columns.max(), rows.max()]) - low + 1
    squares = np.clip((places - low) / span * _GRID, 0, _GRID - 1).astype(int)
    return len({tuple(square) for square in squares.tolist()})


def _likeness(one: np.ndarray, laid: np.ndarray, common: np.ndarray) -> float:
    """How alike the pictures are where they meet (a correlation, 1 is the same), of shapes, not of light and grain."""
    import cv2

    side = max(one.shape)
    shapes = []
    for grey in (one, laid):
        fine = cv2.GaussianBlur(grey.astype(np.float32), (0, 0), side / 150)
        coarse = cv2.GaussianBlur(fine, (0, 0), side / 12)
        shapes.append(fine - coarse)
    # Not at the rim, where the blur reaches over it.
    inner = cv2.erode(common.astype(np.uint8), np.ones((3, 3), np.uint8), iterations=max(1, side // 60)) > 0
    first, second = (
        (shape[inner] - shape[inner].mean() for shape in shapes) if inner.any() else (np.zeros(1),) * 2
    )
    size = float(np.sqrt((first**2).sum() * (second**2).sum()))
    return float((first * second).sum()) / size if size else 0.0
