"""Heatmaps as what a browser draws."""

import numpy as np

from skinclinic.imaging import Box
from skinclinic.vocabulary.diseases import DISEASE_KEYS


def maps_json(heatmaps: np.ndarray, box: Box) -> dict:
    """Heatmaps [12, height, width] in [0, 1] as JSON: {"height", "width", "box", "maps": {key: rows}}."""
    _count, height, width = heatmaps.shape
    rounded = np.round(heatmaps.astype(float), 4)
    return {
        "height": height,
        "width": width,
        "box": {"x": box.x, "y": box.y, "size": box.size},
        "maps": {key: values.tolist() for key, values in zip(DISEASE_KEYS, rounded, strict=True)},
    }
