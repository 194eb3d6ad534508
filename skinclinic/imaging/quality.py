"""Is a cropped photo fit to be judged? Brightness, sharpness, size and skin, with plain limits.

Pure numpy and OpenCV; nothing here knows Django.

The limits were set on 306 smartphone photos of skin lesions (PAD-UFES-20, largest centred square), of which
nearly none should be warned about. Of these are warned: too dark 0, too bright 0, too small 0, blurred 1
(0.3 %), little skin 3 (1 %: a violet cast, and two mostly of hair). The same photos made worse on purpose:

    a quarter / a fifth of the light                   too dark       87 / 99.7 %
    2 times the light, clipped                         too bright     81 %
    Gaussian blur, sigma 1 / 1.5 / 2 % of the side     blurred        87 / 99 / 100 %
    the last with noise of 4 levels                    blurred        71 %
    motion blur over 8 % of the side                   blurred        44 %

What they do not tell: motion blur along one direction passes half the time, and only two of the 306 patients
are known to have skin of Fitzpatrick type V or VI (122 have no type recorded).
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from PIL import Image

WORKING_SIDE = 128

# The darkest of the 306 photos has 71, and exposure meters lift dark skin: types IV to VI have 102 to 171.
TOO_DARK = 42.0
# The brightest of the 306 photos has 214.
TOO_BRIGHT = 220.0
BLURRED = 14.0
# Half of the 224 pixels that the networks see.
TOO_SMALL = 112
LITTLE_SKIN = 0.25

# Nothing to see: black or clipped white, flat, or without any skin. Of 120 of the photos none is darker than 85,
# flatter than 18 or has less than 0.18 of skin; blurred over 4 % of their side their sharpness is still 0.5 to 4.
BLACK, WHITE = 16.0, 245.0
FLAT = 0.3
NO_SKIN = 0.02

_LEAST_CHROMA = 4.0
_SKIN_HUES = (-45.0, 100.0)
# A darker picture is mostly noise, which is not to be scaled up.
_DARKEST_SCALED = 32.0
_USUAL_BRIGHTNESS = 128.0


@dataclass(frozen=True)
class Quality:
    """How fit a crop is to be judged.

    `brightness`: mean luma, 0 to 255. `sharpness`: variance of the Laplacian of the luma at 128 × 128 pixels,
    scaled to a mean luma of 128 so that dark photos and dark skin do not count as blurred. `side_px`: shorter
    side of the crop in pixels. `skin_fraction`: 0 to 1, see `skin_fraction`. `warnings`: any of 'too_dark',
    'too_bright', 'blurred', 'too_small', 'little_skin'; empty for a good photo.
    """

    brightness: float
    sharpness: float
    side_px: int
    skin_fraction: float
    warnings: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """The same fields with JSON types only."""
        return {**asdict(self), "warnings": list(self.warnings)}


def assess(crop: Image.Image) -> Quality:
    """Quality of an RGB crop of any size."""
    # Lists ask this module as well, and need no OpenCV, which takes a tenth of a second to load.
    import cv2

    side = min(crop.size)
    small = _reduced(crop)
    luma = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    brightness = float(luma.mean())
    sharpness = float(cv2.Laplacian(luma, cv2.CV_64F).var()) * _gain(brightness) ** 2
    skin = skin_fraction(small)
    checks = {
        "too_dark": brightness < TOO_DARK,
        "too_bright": brightness > TOO_BRIGHT,
        "blurred": sharpness < BLURRED,
        "too_small": side < TOO_SMALL,
        "little_skin": skin < LITTLE_SKIN,
    }
    return Quality(brightness, sharpness, side, skin, tuple(code for code, true in checks.items() if true))


def shows_nothing(quality: Mapping[str, Any]) -> bool:
    """Whether there is nothing to judge on a photo of this ``Quality.to_json()``: a black or blank frame, or nothing
    of skin. A photo that is only dark, blurred or small shows something."""
    brightness = quality.get("brightness", 128.0)
    warnings = set(quality.get("warnings", ()))
    return bool(
        not BLACK <= brightness <= WHITE
        or quality.get("sharpness", BLURRED) < FLAT
        or quality.get("skin_fraction", 1.0) < NO_SKIN
        or {"blurred", "little_skin"} <= warnings
        or {"too_dark", "little_skin"} <= warnings
    )


def skin_fraction(rgb: np.ndarray) -> float:
    """Share, 0 to 1, of the pixels of uint8[H,W,3] whose colour could be skin, a lesion or blood.

    A picture darker than usual is first brightened to a mean of 128. Then, in CIELAB, a pixel counts if its
    chroma is above 4 and its hue angle between -45° and 100°: from violet-red over brown to yellow. Lightness
    plays no part, because melanin moves skin along lightness and chroma far
    more than along hue (typical skin of types I to VI lies at 48° to 61°), so that the rule is as open to dark
    skin as to pale skin. That is also its weakness: wood, cardboard, beige walls and paper in warm light pass,
    while skin under a strong violet or green cast, or mostly covered by hair, does not.
    """
    import cv2

    brightened = rgb.astype(np.float32) / 255 * max(1.0, _gain(float(rgb.mean())))
    lab = cv2.cvtColor(brightened.clip(0, 1), cv2.COLOR_RGB2LAB)
    a, b = lab[..., 1], lab[..., 2]
    lowest, highest = np.radians(_SKIN_HUES, dtype=np.float32)
    # Less than half a turn apart: a hue lies between two when it is left of one and right of the other.
    is_between = (b * np.cos(lowest) > a * np.sin(lowest)) & (b * np.cos(highest) < a * np.sin(highest))
    return float((is_between & (a * a + b * b > _LEAST_CHROMA**2)).mean())


def _gain(brightness: float) -> float:
    """Factor that brings a picture of this mean level, 0 to 255, to the usual one."""
    return _USUAL_BRIGHTNESS / max(brightness, _DARKEST_SCALED)


def _reduced(crop: Image.Image) -> np.ndarray:
    """uint8[128,128,3], each pixel the mean of those it replaces; the same scale whatever the camera."""
    method = Image.Resampling.BOX if min(crop.size) > WORKING_SIDE else Image.Resampling.BILINEAR
    return np.asarray(crop.convert("RGB").resize((WORKING_SIDE, WORKING_SIDE), method))
