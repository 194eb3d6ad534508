"""Is a cropped photo fit to be judged? Brightness, sharpness, size and skin, with plain limits.

Pure numpy and OpenCV; nothing here knows Django.
"""

from dataclasses import asdict, dataclass

import cv2
import numpy as np
from PIL import Image

WORKING_SIDE = 256

TOO_DARK = 50.0
TOO_BRIGHT = 230.0
BLURRED = 4.0
TOO_SMALL = 96
LITTLE_SKIN = 0.15


@dataclass(frozen=True)
class Quality:
    """`brightness`: mean luma, 0 to 255. `sharpness`: variance of the Laplacian at 256 pixels.
    `side_px`: side of the crop. `skin_fraction`: 0 to 1. `warnings`: codes, empty for a good photo."""

    brightness: float
    sharpness: float
    side_px: int
    skin_fraction: float
    warnings: tuple[str, ...]

    def to_json(self) -> dict:
        """The same fields with JSON types only."""
        return {**asdict(self), "warnings": list(self.warnings)}


def assess(crop: Image.Image) -> Quality:
    """Quality of an RGB crop of any size."""
    side = min(crop.size)
    small = np.asarray(
        crop.convert("RGB").resize((WORKING_SIDE, WORKING_SIDE), Image.Resampling.BILINEAR, reducing_gap=2.0)
    )
    luma = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    brightness = float(luma.mean())
    sharpness = float(cv2.Laplacian(luma, cv2.CV_64F).var())
    skin = skin_fraction(small)
    checks = {
        "too_dark": brightness < TOO_DARK,
        "too_bright": brightness > TOO_BRIGHT,
        "blurred": sharpness < BLURRED,
        "too_small": side < TOO_SMALL,
        "little_skin": skin < LITTLE_SKIN,
    }
    return Quality(brightness, sharpness, side, skin, tuple(code for code, true in checks.items() if true))


def skin_fraction(rgb: np.ndarray) -> float:
    """Share of the pixels of uint8[H,W,3] whose chroma could be skin."""
    ycrcb = cv2.cvtColor(rgb, cv2.COLOR_RGB2YCrCb).astype(np.int16)
    red, blue = ycrcb[..., 1] - 128, ycrcb[..., 2] - 128
    return float(((red >= 3) & (blue <= 0)).mean())
