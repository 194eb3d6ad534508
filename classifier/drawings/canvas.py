"""What drawings of lesions are made of: skin, noise, outlines, relief, light, hairs.

Pictures are float32 arrays [size, size, 3] of sRGB values from 0 to 1, fields are [size, size]. Lengths are
in half sides of the picture: the picture spans -1 to 1 in both directions.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import ArrayLike

# sRGB tones of Fitzpatrick skin types I to VI, chosen by eye.
SKIN_TONES = np.array(
    [(242, 212, 196), (231, 191, 167), (213, 168, 139), (186, 137, 104), (143, 99, 72), (99, 68, 52)],
    np.float32,
) / np.float32(255)


def smooth_step(low: float, high: float, x: np.ndarray) -> np.ndarray:
    """0 up to ``low``, 1 from ``high``, smooth between; falling where ``low`` > ``high``."""
    t = np.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


class Canvas:
    """A square picture being drawn, with its random numbers."""

    def __init__(self, size: int, rng: np.random.Generator):
        self.size, self.rng = size, rng
        axis = ((np.arange(size, dtype=np.float32) + 0.5) / size) * 2 - 1
        self.x, self.y = np.meshgrid(axis, axis)
        self.skin_type = int(rng.choice(6, p=(0.12, 0.26, 0.26, 0.18, 0.1, 0.08)))
        self.light = self._light_direction()
        self.picture = self._skin()

    # Random fields

    def noise(self, cells: float, octaves: int = 4, fall: float = 0.55) -> np.ndarray:
        """Smooth noise of mean 0 and SD 1, with about ``cells`` bumps from side to side."""
        total = np.zeros((self.size, self.size), np.float32)
        for octave in range(octaves):
            count = min(int(cells * 2**octave) + 3, self.size)
            grid = self.rng.standard_normal((count, count)).astype(np.float32)
            total += fall**octave * cv2.resize(grid, (self.size, self.size), interpolation=cv2.INTER_CUBIC)
        return np.asarray((total - total.mean()) / (total.std() + 1e-6))

    def bumps(self, cells: float) -> np.ndarray:
        """Cobbles: 1 in the middle of each, about 0 in the creases, ``cells`` from side to side."""
        pitch = self.size / cells
        steps = np.arange(-1, int(cells) + 2)
        points: np.ndarray = np.stack(np.meshgrid(steps, steps), -1).reshape(-1, 2).astype(np.float32)
        points[:, 0] += 0.5 * (points[:, 1] % 2)
        points = (points + self.rng.uniform(-0.35, 0.35, points.shape)) * pitch
        canvas = np.full((self.size, self.size), 255, np.uint8)
        inside = points[((points >= 0) & (points < self.size)).all(1)].astype(int)
        canvas[inside[:, 1], inside[:, 0]] = 0
        distance = cv2.distanceTransform(canvas, cv2.DIST_L2, cv2.DIST_MASK_5) / (0.62 * pitch)
        return np.asarray(np.clip(1 - distance**2, 0, 1))

    # Outlines and relief

    def outline(self, radius: float, wobble: float, *, stretch: float = 1.2, waves: int = 9,
                centre: Sequence[float] | np.ndarray | None = None) -> np.ndarray:  # fmt: skip
        """A blob as a field: 0 in its middle, 1 on its edge, growing outwards.

        ``wobble`` is how irregular the edge is (0 is an ellipse), ``waves`` how fine its bays are.
        """
        cx, cy = self.rng.uniform(-0.12, 0.12, 2) if centre is None else centre
        turn, ratio = self.rng.uniform(0, np.pi), np.sqrt(self.rng.uniform(1, stretch))
        dx, dy = self.x - cx, self.y - cy
        u = (dx * np.cos(turn) + dy * np.sin(turn)) / ratio
        v = (dy * np.cos(turn) - dx * np.sin(turn)) * ratio
        angle, edge = np.arctan2(v, u), np.full_like(u, radius)
        for wave in range(2, waves):
            height = radius * wobble * self.rng.normal() / wave
            edge += height * np.cos(wave * angle + self.rng.uniform(0, 2 * np.pi))
        return np.asarray(np.hypot(u, v) / np.maximum(edge, 0.25 * radius))

    def relief(
        self, height: np.ndarray, shine: float = 0.0, tightness: float = 30.0, depth: float = 1.0
    ) -> None:
        """Light the picture as if ``height`` (in half sides) stood out of it; ``shine`` adds highlights."""
        step = 2 / self.size
        blurred = cv2.GaussianBlur(height.astype(np.float32), (0, 0), self.size / 256)
        dy, dx = np.gradient(blurred * depth, step)
        length = np.sqrt(dx * dx + dy * dy + 1)
        lx, ly, lz = self.light
        lambert = (-dx * lx - dy * ly + lz) / length / lz
        self.picture *= np.clip(0.35 + 0.65 * lambert, 0.35, 1.35)[..., None]
        if shine:
            half = np.array([lx, ly, lz + 1]) / np.linalg.norm([lx, ly, lz + 1])
            glint = np.clip((-dx * half[0] - dy * half[1] + half[2]) / length, 0, 1) ** tightness
            flat = half[2] ** tightness
            self.blend((1.0, 0.97, 0.95), shine * np.clip(glint - flat, 0, 1) / max(1 - flat, 1e-3))

    # Colour

    def blend(self, colour: ArrayLike, amount: np.ndarray) -> None:
        """Cover with a colour (sRGB triple or picture) by ``amount``, a field from 0 to 1."""
        self.picture += (np.asarray(colour, np.float32) - self.picture) * np.clip(amount, 0, 1)[..., None]

    def stain(self, factors: ArrayLike, amount: np.ndarray) -> None:
        """Multiply by the three ``factors`` by ``amount``: pigment or blood through which skin shows."""
        self.picture *= 1 + (np.asarray(factors, np.float32) - 1) * np.clip(amount, 0, 1)[..., None]

    def tone(self, colour: ArrayLike) -> np.ndarray:
        """A lesion colour (sRGB 0-255, as on skin type II), darkened for the skin type, a little varied."""
        darker = (SKIN_TONES[self.skin_type].mean() / SKIN_TONES[1].mean()) ** 0.55
        varied = self.rng.normal(1, 0.02, 3).astype(np.float32)
        return np.asarray(np.asarray(colour, np.float32) / 255 * darker * varied)

    # Strokes

    def lines(self, paths: list[np.ndarray], width: float) -> np.ndarray:
        """Draw open curves [n, 2] as a field from 0 to 1; ``width`` in half sides."""
        fine = 8
        field = np.zeros((self.size, self.size), np.uint8)
        for path in paths:
            pixels = np.round((path + 1) / 2 * self.size * 2**fine).astype(np.int32)
            thickness = max(1, round(width * self.size / 2))
            cv2.polylines(field, [pixels], False, 255, thickness, cv2.LINE_AA, fine)
        return field.astype(np.float32) / 255

    def wander(self, start: ArrayLike, heading: float, length: float, bend: float = 0.25) -> np.ndarray:
        """A wandering curve [24, 2] from ``start``, of about ``length``."""
        headings = heading + np.cumsum(self.rng.normal(0, bend, 24))
        steps = np.stack([np.cos(headings), np.sin(headings)], 1) * (length / 24)
        return np.asarray(start) + np.cumsum(steps, 0)

    def hairs(self) -> None:
        """Draw a few hairs over the picture on about a third of the pictures."""
        if self.rng.random() > 0.35:
            return
        heading, colour = self.rng.uniform(0, np.pi), self.rng.uniform(0.12, 0.35) * np.array([1, 0.8, 0.65])
        paths = []
        for _ in range(self.rng.integers(3, 14)):
            start = self.rng.uniform(-1.1, 1.1, 2)
            paths.append(
                self.wander(start, heading + self.rng.normal(0, 0.4), self.rng.uniform(0.4, 1.1), 0.06)
            )
        self.blend(colour, 0.65 * self.lines(paths, self.rng.uniform(0.004, 0.009)))

    def finish(self) -> np.ndarray:
        """Return the picture as uint8 [size, size, 3]: room light, camera softness and grain added."""
        lx, ly, _ = self.light
        fall = 1 + self.rng.uniform(0.04, 0.14) * (self.x * lx + self.y * ly)
        fall -= self.rng.uniform(0.02, 0.09) * (self.x**2 + self.y**2)
        white = self.rng.normal(1, 0.018, 3) * self.rng.normal(1, 0.05)
        lit = self.picture * fall[..., None] * white.astype(np.float32)
        picture: np.ndarray = cv2.GaussianBlur(lit, (0, 0), self.size / 512 * self.rng.uniform(0.5, 1.1))
        grain = self.rng.normal(0, self.rng.uniform(0.004, 0.012), picture.shape)
        return np.asarray(np.clip((picture + grain) * 255 + 0.5, 0, 255).astype(np.uint8))

    def _light_direction(self) -> tuple[float, float, float]:
        angle, tilt = self.rng.uniform(-2.6, -0.6), self.rng.uniform(0.55, 0.85)
        return float(np.cos(angle) * tilt), float(np.sin(angle) * tilt), 0.9

    def _skin(self) -> np.ndarray:
        tone = SKIN_TONES[self.skin_type] * self.rng.normal(1, 0.025, 3).astype(np.float32)
        picture = np.broadcast_to(tone, (self.size, self.size, 3)).copy()
        redness, melanin = self.noise(3, 5), self.noise(4, 4)
        picture *= 1 + 0.018 * melanin[..., None]
        picture *= 1 + redness[..., None] * np.array([0.004, -0.014, -0.012], np.float32)
        cells = self.rng.uniform(34, 60)
        furrows = 1 - self.bumps(cells)
        creases = np.clip(1 - 2.2 * np.abs(self.noise(cells / 5, 3)), 0, 1)
        strength = self.rng.uniform(0.02, 0.05)
        relief = 1 - strength * furrows - 0.6 * strength * creases + 0.012 * self.noise(90, 2)
        return np.asarray(picture * relief[..., None])
