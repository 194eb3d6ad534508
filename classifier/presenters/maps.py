"""Heatmaps as what a browser draws, and what is said of them."""

import numpy as np
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from skinclinic.imaging import Box
from skinclinic.vocabulary.diseases import BY_KEY, DISEASE_KEYS


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


def caption(key: str, model: str) -> list[str]:
    """What stands under every picture of a heatmap: the disease, the ``model``, and what it does not say."""
    where = _("Where the model looked, not where the disease is.")
    return [
        f"{BY_KEY[key].name(get_language() or 'en')} · {model}",
        where + " " + _("The model does not diagnose."),
    ]
