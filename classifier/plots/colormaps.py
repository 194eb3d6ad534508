"""Heatmaps as colours, and drawn over a photo.

Two maps: cividis (Nunez et al. 2018, doi:10.1371/journal.pone.0199239), which people with colour-blindness
read like everybody else, and the red-blue "jet". The values are Matplotlib's.
"""

import base64
import zlib

import numpy as np
from PIL import Image

from classifier.networks.cam import resize_heatmap


def _table(packed: str) -> np.ndarray:
    """Unpack uint8 [256, 3]: packed are the steps from colour to colour, modulo 256."""
    steps = np.frombuffer(zlib.decompress(base64.b64decode(packed)), dtype=np.uint8).reshape(256, 3)
    return np.cumsum(steps, axis=0, dtype=np.uint8)


COLORMAPS = {
    "cividis": _table(
        "eNqFklEOxCAIRGfsnmTvs/e/jVRQFLTNtsS8PAbsR/H9gQWgnloEyuApTzNkC6trz4daF3C1k9JOTdAKQg6mSVJ0lxsDzXSm"
        "zXbggrEky3cgJ+M5xigR5VqC8S7JMMKwcGxLki72G31nGMyX+pe/eGf541dLdn5ITpajK3l2C8jMlMMYZxl8YQ5Acl4Kp4nd"
        "o6VV3VcPd1OLQ2dQ7E/SH/gG+WtEHA=="
    ),
    "jet": _table(
        "eNrNj8sOwjAMBKfYfDcfzm6DU6oKDi2vHIhGo1XWjhS4wBny0F8MTGwn/59GivQpHR3lGhzhQEn5zl4eXg14ofxU2aFijv5X"
        "JkHhxY/h/ctf2g9XmpC5lrW4Mh0d+uXADedRsoA="
    ),
}


def heatmap_rgb(heatmap: np.ndarray, size: int, colormap: str = "cividis") -> Image.Image:
    """A heatmap [h, w] in [0, 1] -> RGB image of ``size`` x ``size`` pixels; KeyError for another colormap."""
    smooth = resize_heatmap(heatmap, (size, size))
    return Image.fromarray(COLORMAPS[colormap][np.rint(smooth * 255).astype(np.uint8)])


def overlay(
    photo: Image.Image, heatmap: np.ndarray, opacity: float, colormap: str = "cividis"
) -> Image.Image:
    """A square RGB photo with its heatmap over it; ``opacity`` 0 is the photo, 1 the heatmap alone."""
    return Image.blend(photo.convert("RGB"), heatmap_rgb(heatmap, photo.width, colormap), opacity)


def three_panels(
    photo: Image.Image,
    heatmap: np.ndarray,
    *,
    side: int = 512,
    opacity: float = 0.5,
    colormap: str = "cividis",
) -> Image.Image:
    """Photo, overlay and heatmap alone side by side: RGB, 3 * ``side`` x ``side`` pixels."""
    photo = photo.convert("RGB").resize((side, side), Image.Resampling.LANCZOS)
    panels = Image.new("RGB", (3 * side, side))
    panels.paste(photo, (0, 0))
    panels.paste(overlay(photo, heatmap, opacity, colormap), (side, 0))
    panels.paste(heatmap_rgb(heatmap, side, colormap), (2 * side, 0))
    return panels
