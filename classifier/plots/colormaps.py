"""Heatmaps as colours, and drawn over a photo.

Two maps: cividis (Nunez et al. 2018, doi:10.1371/journal.pone.0199239), which people with colour-blindness
read like everybody else, and the red-blue "jet". The values are Matplotlib's.
"""

import base64
import zlib
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from classifier.plots.letters import FONT_FILE


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


# As the result page shows it until a person chooses otherwise: static/js/result/heatmap.js.
OPACITY = 0.6


def smooth(heatmap: np.ndarray, size: int) -> np.ndarray:
    """A heatmap [h, w] in [0, 1] -> float32 [size, size] in [0, 1], as the browser enlarges it (result/upsample.js).

    Catmull and Rom's cubic between the cells' middles, clamped at the edge: every cell keeps its value, and nothing
    is scaled anew.
    """
    values = np.asarray(heatmap, dtype=np.float64)
    down, across = (_weights(cells, size) for cells in values.shape)
    enlarged: np.ndarray = np.clip(down @ values @ across.T, 0, 1).astype(np.float32)
    return enlarged


def _weights(cells: int, size: int) -> np.ndarray:
    """How much each of ``cells`` counts for each of ``size`` pixels: [size, cells]."""
    place = (np.arange(size) + 0.5) * cells / size - 0.5
    first = np.floor(place).astype(int)
    t = place - first
    shares = (
        t * (-0.5 + t * (1 - 0.5 * t)),
        1 + t * t * (-2.5 + 1.5 * t),
        t * (0.5 + t * (2 - 1.5 * t)),
        t * t * (-0.5 + 0.5 * t),
    )
    weights = np.zeros((size, cells))
    for offset, share in zip((-1, 0, 1, 2), shares, strict=True):
        np.add.at(weights, (np.arange(size), np.clip(first + offset, 0, cells - 1)), share)
    return weights


def heatmap_rgb(heatmap: np.ndarray, size: int, colormap: str = "cividis") -> Image.Image:
    """A heatmap [h, w] in [0, 1] -> RGB image of ``size`` x ``size`` pixels; KeyError for another colormap."""
    return Image.fromarray(COLORMAPS[colormap][np.rint(smooth(heatmap, size) * 255).astype(np.uint8)])


def overlay(
    photo: Image.Image, heatmap: np.ndarray, opacity: float = OPACITY, colormap: str = "cividis"
) -> Image.Image:
    """A square RGB photo with its heatmap over it: where the map is 0 the photo is clear, where it is 1 it is covered
    by ``opacity``."""
    alpha = smooth(heatmap, photo.width) * opacity
    veil = Image.fromarray(np.rint(alpha * 255).astype(np.uint8))
    return Image.composite(heatmap_rgb(heatmap, photo.width, colormap), photo.convert("RGB"), veil)


def three_panels(
    photo: Image.Image,
    heatmap: np.ndarray,
    *,
    side: int = 512,
    opacity: float = OPACITY,
    colormap: str = "cividis",
    caption: Sequence[str] = (),
) -> Image.Image:
    """Photo, overlay and heatmap alone side by side: RGB, 3 * ``side`` pixels wide; the lines of ``caption`` below."""
    photo = photo.convert("RGB").resize((side, side), Image.Resampling.LANCZOS)
    panels = Image.new("RGB", (3 * side, side), "white")
    panels.paste(photo, (0, 0))
    panels.paste(overlay(photo, heatmap, opacity, colormap), (side, 0))
    panels.paste(heatmap_rgb(heatmap, side, colormap), (2 * side, 0))
    return captioned(panels, caption, side // 18)


def captioned(picture: Image.Image, caption: Sequence[str], line: int = 28) -> Image.Image:
    """A picture with the lines of ``caption`` below it, each ``line`` pixels high; itself without any."""
    if not caption:
        return picture
    whole = Image.new("RGB", (picture.width, picture.height + (len(caption) + 1) * line), "white")
    whole.paste(picture, (0, 0))
    font = ImageFont.truetype(FONT_FILE, round(line * 0.75))
    pen = ImageDraw.Draw(whole)
    for number, words in enumerate(caption):
        pen.text((line // 2, picture.height + (number + 0.5) * line), words, fill="black", font=font)
    return whole
