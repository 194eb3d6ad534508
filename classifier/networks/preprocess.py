"""From a square crop of a photo to the numbers a network takes. Pillow and numpy only."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from PIL import Image

_FILTERS = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}


@dataclass(frozen=True)
class Preprocessing:
    """How one model wants its input.

    ``input_size``: side in pixels. ``mean``, ``std``: of channels scaled to [0, 1], in ``channel_order``
    ("rgb" or "bgr"). ``resize``: "bilinear" or "bicubic", both antialiased. ValueError for anything else.
    """

    input_size: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    channel_order: str = "rgb"
    resize: str = "bicubic"

    def __post_init__(self) -> None:
        object.__setattr__(self, "mean", tuple(float(value) for value in self.mean))
        object.__setattr__(self, "std", tuple(float(value) for value in self.std))
        if isinstance(self.input_size, bool) or not isinstance(self.input_size, int):
            raise ValueError("input_size must be a whole number")
        if not 32 <= self.input_size <= 1024:
            raise ValueError("input_size must be from 32 to 1024")
        if len(self.mean) != 3 or len(self.std) != 3 or not np.isfinite(self.mean + self.std).all():
            raise ValueError("mean and std must be three finite numbers each")
        if min(self.std) <= 0:
            raise ValueError("std must be positive")
        if self.channel_order not in ("rgb", "bgr"):
            raise ValueError("channel_order must be 'rgb' or 'bgr'")
        if self.resize not in _FILTERS:
            raise ValueError("resize must be 'bilinear' or 'bicubic'")

    def to_json(self) -> dict[str, Any]:
        """Return the fields with JSON types only."""
        return {**asdict(self), "mean": list(self.mean), "std": list(self.std)}


def to_array(crop: Image.Image, preprocessing: Preprocessing) -> np.ndarray:
    """Return a square RGB crop as float32 [3, S, S], resized and normalised.

    ValueError if the crop is not square, because a network must not see a distorted lesion.
    """
    if crop.width != crop.height:
        raise ValueError(f"the crop is {crop.width}x{crop.height}, not square")
    size = (preprocessing.input_size,) * 2
    resized = crop.convert("RGB").resize(size, _FILTERS[preprocessing.resize], reducing_gap=3.0)
    pixels = np.asarray(resized, dtype=np.float32)
    if preprocessing.channel_order == "bgr":
        pixels = pixels[:, :, ::-1]
    scale = 1 / (255 * np.array(preprocessing.std, np.float32))
    shift = np.array(preprocessing.mean, np.float32) / np.array(preprocessing.std, np.float32)
    return np.ascontiguousarray((pixels * scale - shift).transpose(2, 0, 1), dtype=np.float32)
