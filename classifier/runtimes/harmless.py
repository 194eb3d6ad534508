"""Whether a model may be computed in bfloat16 without its answers changing: measured once for each model and processor.

Bfloat16 has 8 bits. What its rounding does to scores depends on the weights. So where nobody has asked for bfloat16
it is tried on images of noise, against full precision, and used only if the scores hardly move. What it does to the
answers to real photos ``manage.py compare_precisions`` tells.
"""

import json
import logging
from pathlib import Path

import numpy as np

from classifier.networks.manifest import Manifest
from classifier.runtimes import openvino_networks, precisions
from classifier.runtimes.base import Runtime
from skinclinic.files.whole import write_whole

log = logging.getLogger(__name__)

# Of the largest difference of a score, the median over the images. The demo model's is 0.0035, and by its thresholds
# 4.5 and 7.9 % of 1,006 photos get another differential; the limit stands for about 0.5 %.
MOST = 3e-4
_IMAGES = 16
_SEED = 0


def kept(path: Path) -> str | None:
    """The precision that was chosen before, or None."""
    try:
        chosen = json.loads(path.read_text())["precision"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return chosen if chosen in (precisions.F32, precisions.BF16) else None


def path_in(cache_dir: Path, weights_sha256: str) -> Path:
    """Where the choice for these weights and this processor is kept."""
    return openvino_networks.place(cache_dir, weights_sha256, precisions.AUTO).with_suffix(".json")


def choose(path: Path, full: Runtime, coarse: Runtime) -> str:
    """The precision for a model that both runtimes have open; kept in ``path`` where that can be written."""
    moved = median_difference(full, coarse)
    chosen = precisions.BF16 if moved <= MOST else precisions.F32
    log.info("%s: bfloat16 moves scores by %.5f (at most %.5f): %s", full.manifest.name, moved, MOST, chosen)
    try:
        write_whole(path, json.dumps({"precision": chosen, "moved": round(moved, 7)}).encode())
    except OSError as error:
        log.warning("the choice of a precision cannot be kept in %s: %s", path.parent, error)
    return chosen


def median_difference(full: Runtime, coarse: Runtime) -> float:
    """The median over ``_IMAGES`` images of the largest difference of a score; infinite if any is no number."""
    images = noise(full.manifest)
    differences = np.abs(full.forward(images)[0] - coarse.forward(images)[0]).max(axis=1)
    return float(np.median(differences)) if np.isfinite(differences).all() else float("inf")


def noise(manifest: Manifest) -> np.ndarray:
    """Images float32 [n, 3, S, S] of coarse noise over all colours, the same each time."""
    side = manifest.preprocessing.input_size
    coarse = np.random.default_rng(_SEED).uniform(0, 1, (_IMAGES, 3, 8, 8))
    repeat = -(-side // 8)
    large = coarse.repeat(repeat, axis=2).repeat(repeat, axis=3)[:, :, :side, :side]
    mean, std = (
        np.reshape(part, (3, 1, 1)) for part in (manifest.preprocessing.mean, manifest.preprocessing.std)
    )
    return np.ascontiguousarray((large - mean) / std, np.float32)
