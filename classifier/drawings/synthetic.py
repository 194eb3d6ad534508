"""Drawings of the 12 diseases: illustrations for the demo, never a stand-in for photos of patients.

``synthetic_lesion`` draws textbook features of a disease on drawn skin. Whoever shows or stores such a
picture marks it as synthetic. Pure numpy, OpenCV and Pillow.
"""

import zlib
from collections.abc import Callable

import cv2
import numpy as np
from PIL import Image

from classifier.drawings.canvas import Canvas, smooth_step

Painter = Callable[[Canvas], None]
_PAINTERS: dict[str, Painter] = {}


def synthetic_lesion(disease_key: str, seed: int, size: int = 512) -> Image.Image:
    """Draw a lesion of ``disease_key`` (one of the 12) as an RGB image of ``size`` x ``size`` pixels.

    The same arguments give the same pixels. ValueError for an unknown disease or a size under 64.
    """
    if disease_key not in _PAINTERS:
        raise ValueError(f"no drawing for {disease_key!r}; known are {', '.join(_PAINTERS)}")
    return _draw(disease_key, seed, size, _PAINTERS[disease_key])


def plain_skin(seed: int, size: int = 512) -> Image.Image:
    """Draw skin without a lesion, otherwise as ``synthetic_lesion``."""
    return _draw("plain skin", seed, size, lambda canvas: None)


def _draw(kind: str, seed: int, size: int, paint: Callable[[Canvas], None]) -> Image.Image:
    if size < 64:
        raise ValueError(f"a drawing needs at least 64 pixels a side, not {size}")
    canvas = Canvas(size, np.random.default_rng([seed, zlib.crc32(kind.encode())]))
    paint(canvas)
    canvas.hairs()
    return Image.fromarray(canvas.finish())


def _paints(disease_key: str) -> Callable[[Painter], Painter]:
    def register(painter: Painter) -> Painter:
        _PAINTERS[disease_key] = painter
        return painter

    return register


@_paints("bcc")
def _basal_cell_carcinoma(c: Canvas) -> None:
    """A pearly pink dome with a rolled edge, a central dimple and branching vessels."""
    radius = c.rng.uniform(0.36, 0.56)
    centre = c.rng.uniform(-0.12, 0.12, 2)
    d = c.outline(radius, 0.1, stretch=1.3, centre=centre)
    c.stain((1.0, 0.86, 0.85), smooth_step(1.5, 0.9, d) * 0.6)
    c.blend(c.tone((232, 152, 146)), smooth_step(1.04, 0.9, d) * 0.85)
    c.blend(c.tone((248, 210, 202)), smooth_step(0.3, 0.05, np.abs(d - 0.78)) * 0.4)
    vessels = []
    for angle in c.rng.uniform(0, 2 * np.pi, c.rng.integers(7, 12)):
        edge = centre + 0.95 * radius * np.array([np.cos(angle), np.sin(angle)])
        stem = c.wander(edge, angle + np.pi + c.rng.normal(0, 0.5), radius * c.rng.uniform(0.5, 1.0), 0.16)
        forks = c.rng.integers(5, 20, 2)
        vessels += [
            stem,
            *(c.wander(stem[fork], c.rng.uniform(0, 2 * np.pi), radius * 0.3, 0.2) for fork in forks),
        ]
    c.blend(c.tone((176, 48, 58)), c.lines(vessels, 0.008) * smooth_step(1.08, 0.95, d) * 0.75)
    dimple = smooth_step(0.4, 0.1, d)
    c.blend(c.tone((168, 92, 84)), dimple * c.rng.uniform(0.3, 0.7))
    dome = (
        np.sqrt(np.clip(1 - d**2, 0, 1)) * 0.22 - 0.1 * dimple + 0.003 * c.noise(9) * smooth_step(1.0, 0.9, d)
    )
    c.relief(dome, shine=0.75, tightness=22)


@_paints("scc")
def _squamous_cell_carcinoma(c: Canvas) -> None:
    """A red nodule with a thick yellow-brown crust."""
    radius = c.rng.uniform(0.42, 0.6)
    centre = c.rng.uniform(-0.1, 0.1, 2)
    d = c.outline(radius, 0.16, stretch=1.25, centre=centre)
    crust = c.outline(
        radius * c.rng.uniform(0.55, 0.7), 0.2, waves=12, centre=centre + c.rng.normal(0, 0.03, 2)
    )
    c.stain((1.0, 0.78, 0.76), smooth_step(1.45, 0.9, d) * 0.7)
    c.blend(c.tone((196, 98, 88)), smooth_step(1.06, 0.88, d) * 0.85)
    covered = smooth_step(1.08, 0.94, crust + 0.05 * c.noise(16))
    rough = c.noise(13, 5, 0.7)
    crust_colour = c.tone((188, 146, 104)) * (1 + 0.12 * rough[..., None])
    c.blend(crust_colour, covered * 0.95)
    c.blend(c.tone((96, 44, 32)), covered * smooth_step(0.7, 1.6, c.noise(9)) * 0.8)
    height = np.sqrt(np.clip(1 - d**2, 0, 1)) * 0.24 + covered * (0.08 + 0.014 * rough)
    c.relief(height, shine=0.12)


@_paints("iec")
def _intraepithelial_carcinoma(c: Canvas) -> None:
    """A flat, sharply bordered red plaque under silvery scale."""
    d = c.outline(c.rng.uniform(0.5, 0.66), 0.2, stretch=1.5, waves=14) + 0.025 * c.noise(9)
    inside = smooth_step(1.03, 0.95, d)
    c.blend(c.tone((203, 112, 100)) * (1 + 0.05 * c.noise(8)[..., None]), inside * 0.82)
    c.blend(c.tone((170, 78, 72)), smooth_step(0.12, 0.0, np.abs(d - 0.95)) * 0.35)
    flakes = smooth_step(0.45, 0.75, c.noise(7, 5, 0.62)) * smooth_step(1.0, 0.85, d)
    c.blend(c.tone((238, 226, 214)), flakes * 0.8)
    c.relief(0.02 * inside + 0.016 * flakes * (1 + 0.4 * c.noise(40)), shine=0.1)


@_paints("ak")
def _actinic_keratosis(c: Canvas) -> None:
    """Rough pink patches without a clear edge, with dry scale, on sun-damaged skin."""
    freckles = smooth_step(1.5, 2.3, c.noise(16, 2))
    c.stain((0.9, 0.8, 0.7), freckles * 0.5)
    amount = np.zeros_like(c.x)
    for _ in range(c.rng.integers(1, 4)):
        patch = c.outline(c.rng.uniform(0.24, 0.42), 0.3, stretch=1.6, centre=c.rng.uniform(-0.3, 0.3, 2))
        amount = np.maximum(amount, smooth_step(1.35, 0.35, patch + 0.12 * c.noise(8)))
    c.stain((1.0, 0.72, 0.7), amount * 0.8)
    grit = smooth_step(0.6, 1.3, c.noise(34, 3, 0.7)) * amount
    scale = smooth_step(0.5, 1.2, c.noise(11, 5, 0.7)) * smooth_step(0.3, 0.8, amount)
    c.blend(c.tone((236, 214, 176)), np.maximum(grit * 0.55, scale * 0.75))
    c.relief(0.012 * grit + 0.022 * scale * (1 + 0.5 * c.noise(30)), shine=0.06)


@_paints("sk")
def _seborrheic_keratosis(c: Canvas) -> None:
    """A waxy brown plaque that looks stuck on: cobbled, with pale cysts and dark plugs."""
    d = c.outline(c.rng.uniform(0.46, 0.62), 0.14, stretch=1.5, waves=12)
    inside = smooth_step(1.02, 0.96, d)
    cobbles = c.bumps(c.rng.uniform(13, 20))
    brown = c.tone((158, 112, 78) if c.rng.random() < 0.6 else (118, 82, 62))
    c.blend(brown * (0.82 + 0.26 * cobbles[..., None]) * (1 + 0.06 * c.noise(5)[..., None]), inside * 0.95)
    body = smooth_step(0.9, 0.75, d)
    c.blend(c.tone((62, 42, 30)), smooth_step(1.75, 2.1, c.noise(15, 1)) * body * 0.85)
    c.blend(c.tone((226, 200, 158)), smooth_step(1.85, 2.2, c.noise(17, 1)) * body * 0.85)
    height = 0.1 * smooth_step(1.02, 0.8, d) + 0.02 * cobbles * inside
    c.relief(height, shine=0.3, tightness=14)


@_paints("mm")
def _malignant_melanoma(c: Canvas) -> None:
    """Asymmetrical, with a ragged edge and many colours: tan, brown, black, blue-grey, red, white."""
    centre = c.rng.uniform(-0.08, 0.08, 2)
    offset = c.rng.uniform(-0.24, 0.24, 2)
    radius = c.rng.uniform(0.36, 0.48)
    parts = [
        c.outline(radius, 0.2, stretch=1.5, waves=14, centre=centre),
        c.outline(radius * 0.75, 0.22, stretch=1.6, waves=14, centre=centre + offset),
    ]
    d = np.minimum(*parts) + 0.045 * c.noise(8)
    inside = smooth_step(1.05, 0.94, d)
    c.blend(c.tone((128, 82, 54)), inside * 0.9)
    c.blend(c.tone((66, 42, 34)), inside * smooth_step(-0.6, 0.9, c.noise(3, 5)) * 0.95)
    dark = smooth_step(
        1.0, 0.6, c.outline(radius * 0.6, 0.25, centre=centre + 0.8 * offset) + 0.1 * c.noise(8)
    )
    c.blend(c.tone((30, 24, 26)), dark * inside * 0.95)
    for colour, rarity, strength in (
        ((92, 98, 118), 0.7, 0.75),
        ((172, 84, 78), 1.0, 0.7),
        ((206, 182, 172), 1.3, 0.75),
    ):
        c.blend(c.tone(colour), inside * smooth_step(rarity - 0.2, rarity + 0.9, c.noise(3, 5)) * strength)
    c.relief(0.02 * inside + 0.05 * cv2.GaussianBlur(dark * inside, (0, 0), c.size / 60), shine=0.16)


@_paints("nevus")
def _melanocytic_nevus(c: Canvas) -> None:
    """A small even brown oval, smooth at its edge, flat or a soft dome."""
    radius = c.rng.uniform(0.24, 0.42)
    d = c.outline(radius, 0.05, stretch=1.35)
    brown = c.tone([(142, 92, 64), (112, 70, 48), (168, 112, 82)][c.rng.integers(3)])
    colour = brown * (1 - 0.12 * smooth_step(0.8, 0.0, d) + 0.03 * c.noise(14))[..., None]
    c.blend(colour, smooth_step(1.08, 0.86, d) * 0.94)
    dome = c.rng.choice((0.02, 0.12)) * np.sqrt(np.clip(1 - d**2, 0, 1))
    c.relief(dome + 0.0012 * c.noise(20, 2) * smooth_step(1, 0.9, d), shine=0.22)


@_paints("lentigo")
def _lentigo(c: Canvas) -> None:
    """A flat light brown spot with a bayed edge; the skin's furrows run on through it."""
    d = c.outline(c.rng.uniform(0.42, 0.6), 0.14, stretch=1.6, waves=14) + 0.05 * c.noise(7, 5, 0.65)
    speckle = 0.82 + 0.14 * c.noise(12, 4)
    c.stain((0.76, 0.62, 0.48), smooth_step(1.03, 0.95, d) * speckle)


@_paints("pg")
def _pyogenic_granuloma(c: Canvas) -> None:
    """A moist bright red dome in a narrow collar of pale scale."""
    radius = c.rng.uniform(0.32, 0.48)
    centre = c.rng.uniform(-0.1, 0.1, 2)
    d = c.outline(radius, 0.07, stretch=1.15, centre=centre)
    c.stain((1.0, 0.84, 0.84), smooth_step(1.6, 1.0, d) * 0.6)
    c.blend(c.tone((240, 222, 206)), smooth_step(0.1, 0.02, np.abs(d - 1.08 - 0.02 * c.noise(12))) * 0.75)
    inside = smooth_step(1.03, 0.97, d)
    c.blend(c.tone((194, 30, 38)) * (1 + 0.1 * c.noise(9)[..., None]), inside)
    c.blend(c.tone((120, 14, 26)), inside * smooth_step(0.9, 1.7, c.noise(6)) * 0.7)
    height = np.sqrt(np.clip(1 - d**2, 0, 1)) * 0.28 + 0.007 * c.noise(9) * inside
    c.relief(height, shine=0.9, tightness=34)


@_paints("hemangioma")
def _hemangioma(c: Canvas) -> None:
    """Smooth purple-red lobules, close together."""
    height, covered = np.zeros_like(c.x), np.zeros_like(c.x)
    spread = c.rng.uniform(0.2, 0.32)
    for _ in range(c.rng.integers(6, 11)):
        lobe = c.outline(c.rng.uniform(0.15, 0.27), 0.06, centre=c.rng.uniform(-spread, spread, 2))
        height = np.maximum(height, 0.1 * np.sqrt(np.clip(1 - lobe**2, 0, 1)))
        covered = np.maximum(covered, smooth_step(1.05, 0.9, lobe))
    colour = c.tone((128, 30, 68)) if c.rng.random() < 0.6 else c.tone((104, 32, 84))
    c.blend(colour * (1 + 0.07 * c.noise(7)[..., None]), covered * 0.95)
    c.relief(height, shine=0.4, tightness=20)


@_paints("df")
def _dermatofibroma(c: Canvas) -> None:
    """A firm pinkish-brown button, palest in the middle, fading into the skin."""
    d = c.outline(c.rng.uniform(0.36, 0.52), 0.05, stretch=1.2)
    c.stain((0.8, 0.6, 0.52), smooth_step(1.25, 0.7, d + 0.04 * c.noise(10)) * 0.9)
    c.blend(c.tone((168, 104, 88)), smooth_step(0.4, 0.05, np.abs(d - 0.68)) * 0.5)
    c.blend(c.tone((236, 206, 194)), smooth_step(0.55, 0.2, d + 0.05 * c.noise(7)) * 0.85)
    c.relief(0.08 * smooth_step(1.2, 0.3, d), shine=0.15, tightness=16)


@_paints("wart")
def _wart(c: Canvas) -> None:
    """Grey papillae packed like a cauliflower, with black dots."""
    d = c.outline(c.rng.uniform(0.36, 0.52), 0.1, stretch=1.2, waves=14)
    papillae = c.bumps(c.rng.uniform(20, 28))
    inside = smooth_step(1.04, 0.94, d)
    grey = c.tone((206, 182, 160))
    c.blend(grey * (0.7 + 0.34 * papillae[..., None]) * (1 + 0.04 * c.noise(8)[..., None]), inside * 0.92)
    dots = smooth_step(1.75, 2.0, c.noise(30, 1)) * smooth_step(0.88, 0.75, d)
    c.blend((0.12, 0.07, 0.07), dots * 0.9)
    height = 0.16 * np.sqrt(np.clip(1 - d**2, 0, 1)) + 0.034 * papillae * inside
    c.relief(height, shine=0.1)
