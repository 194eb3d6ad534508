"""Random variations of a picture. Turned, mirrored and cropped freely; colour, which tells diseases apart,
is varied only as much as room light and cameras vary it."""

import math

import cv2
import numpy as np
import torch
from PIL import Image

from classifier.networks import torchvision_ops
from classifier.networks.preprocess import Preprocessing, to_array

# Random crops are taken from pictures of the input size times this, so that they lose little detail.
_MARGIN = 1.4
_CHANGES = 2


def random_input(
    picture: Image.Image, preprocessing: Preprocessing, rng: np.random.Generator, rand_augment: int = 0
) -> np.ndarray:
    """A random view of a square picture as a network takes it: float32 [3, S, S].

    ``rand_augment``: before it, two changes of RandAugment (Cubuk et al. 2020) of this strength, 0 (none) to 30.
    """
    size = preprocessing.input_size
    picture = picture.resize((int(size * _MARGIN),) * 2, Image.Resampling.BICUBIC)
    if rand_augment:
        picture = _rand_augment(picture, rand_augment, rng)
    pixels = random_view(np.asarray(picture), size, rng)
    return to_array(Image.fromarray(pixels.round().astype(np.uint8)), preprocessing)


def _rand_augment(picture: Image.Image, strength: int, rng: np.random.Generator) -> Image.Image:
    torchvision_ops.declare_missing()
    from torchvision.transforms import RandAugment

    # It draws from torch's generator, which others go on with.
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(rng.integers(2**62)))
        changed: Image.Image = RandAugment(_CHANGES, strength)(picture)
    return changed


def random_view(pixels: np.ndarray, size: int, rng: np.random.Generator) -> np.ndarray:
    """Return a variation of ``pixels`` (uint8 [P, P, 3]) as float32 [size, size, 3] from 0 to 255."""
    view = cv2.warpAffine(
        pixels,
        _random_placement(pixels.shape[0], size, rng),
        (size, size),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REFLECT_101,
    ).astype(np.float32)
    if rng.random() < 0.2:
        view = cv2.GaussianBlur(view, (0, 0), rng.uniform(0.4, 1.3)).astype(np.float32, copy=False)
    view = _recolour(view, rng)
    if rng.random() < 0.3:
        side = int(size * rng.uniform(0.15, 0.35))
        top, left = rng.integers(0, size - side, 2)
        view[top : top + side, left : left + side] = rng.uniform(60, 200)
    return np.clip(view, 0, 255)


def _random_placement(source: int, size: int, rng: np.random.Generator) -> np.ndarray:
    """An affine map [2, 3] from the view to a turned square of half to all of the source's area."""
    side = source * math.sqrt(rng.uniform(0.5, 1.0))
    free_turn, quarter_turn = rng.uniform(0, 2 * math.pi), rng.integers(4) * math.pi / 2
    turn = free_turn if rng.random() < 0.6 else quarter_turn
    stretch, mirror = math.exp(rng.uniform(-0.12, 0.12)), rng.choice((-1, 1))
    centre = source / 2 + rng.uniform(-1, 1, 2) * (source - side) / 2
    c, s = math.cos(turn) * side / size, math.sin(turn) * side / size
    linear = np.array([[c * mirror * stretch, -s / stretch], [s * mirror * stretch, c / stretch]])
    return np.column_stack([linear, centre - linear @ [size / 2, size / 2]])


def _recolour(view: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    contrast, saturation = np.exp(rng.normal(0, 0.12, 2)).astype(np.float32)
    gains = np.exp(rng.normal(0, 0.06, 3) + rng.normal(0, 0.10)).astype(np.float32)
    mean = view.mean()
    view = ((view - mean) * contrast + mean) * gains
    grey = view.mean(axis=2, keepdims=True)
    return np.asarray(grey + (view - grey) * saturation)
