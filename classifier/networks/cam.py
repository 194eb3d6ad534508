"""Class activation maps as heatmaps: Grad-CAM (Selvaraju et al. 2017, doi:10.1109/ICCV.2017.74) in numpy.

The maps a network's 1x1 convolution gives (``network.MappedClassifier.classify``) are Grad-CAM's weighted sums up to
a positive factor, which the scaling to [0, 1] removes. What is left to do is what pytorch-grad-cam does after its sum.
"""

import numpy as np


def to_heatmaps(maps: np.ndarray) -> np.ndarray:
    """Class activation maps [..., h, w] -> heatmaps in [0, 1], float16, same shape.

    What speaks against the disease (negative) is cut off; the rest is scaled so that each map's smallest
    value is 0 and its largest 1. A map that is flat after the cut is 0 everywhere.
    """
    positive = np.maximum(np.asarray(maps, dtype=np.float32), 0)
    return _scaled(positive).astype(np.float16)


def _scaled(maps: np.ndarray) -> np.ndarray:
    lifted = maps - maps.min(axis=(-2, -1), keepdims=True)
    largest = lifted.max(axis=(-2, -1), keepdims=True)
    scaled: np.ndarray = np.divide(lifted, largest, out=np.zeros_like(lifted), where=largest > 0)
    return scaled
