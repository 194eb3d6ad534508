"""Do heatmaps depend on what the network has learnt? The usual check (Adebayo et al. 2018, arXiv:1810.03292): parts of
it are put at random, from the last layer backwards, and the maps compared with those of before. Pure."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import scipy.stats
import torch
from torch import Tensor, nn

from classifier.drawings.synthetic import synthetic_lesion
from classifier.networks import weights
from classifier.networks.heatmap_check import ALL, FIGURES, LAST_LAYER, LAST_TENTH
from classifier.networks.network import MappedClassifier, restore
from classifier.networks.preprocess import to_array
from skinclinic.vocabulary.diseases import DISEASE_KEYS

_SIDE = 256
# What is beyond differs from one processor to another.
_DIGITS = 4


def check_maps(folder: Path, seed: int = 0) -> dict[str, Any]:
    """As ``heatmap_check`` describes it. Drawings are looked at, one a disease: they are the same everywhere,
    so that models can be held against each other, and nobody's photos are needed.

    Compared are, of each drawing, the maps of the output with the highest score, before and after the numbers of the
    last layer, also of the last tenth of all kernels, and of all kernels were shuffled among themselves: Spearman's
    rank correlation over the places of the map, -1 to 1; a map that is flat, or not of finite numbers, is not compared.
    Raises ModelRejected.
    """
    manifest, state = weights.load_verified(folder)
    network = restore(manifest, state).eval().requires_grad_(False)
    pictures = [synthetic_lesion(key, seed, _SIDE) for key in DISEASE_KEYS]
    images = torch.from_numpy(np.stack([to_array(picture, manifest.preprocessing) for picture in pictures]))
    chance = torch.Generator().manual_seed(seed)
    with torch.inference_mode():
        logits, before = network(images)
        top = logits.argmax(1).tolist()
        rows = []
        for what, kernels in _cascade(network):
            for kernel in kernels:
                _shuffle(kernel, chance)
            rows.append({"randomised": what, **_alike(before, network(images)[1], top)})
    return {"pictures": len(pictures), "rows": rows}


def _cascade(network: MappedClassifier) -> list[tuple[str, Sequence[Tensor]]]:
    """What is put at random one after the other, each beside all before."""
    kernels = [value for value in network.backbone.parameters() if value.dim() > 1]
    first_of_last = len(kernels) - max(1, len(kernels) // 10)
    return [
        (LAST_LAYER, [network.head.weight]),
        (LAST_TENTH, kernels[first_of_last:]),
        (ALL, kernels[:first_of_last]),
    ]


def _shuffle(kernel: nn.Parameter | Tensor, chance: torch.Generator) -> None:
    flat = kernel.data.reshape(-1)
    kernel.data = flat[torch.randperm(len(flat), generator=chance)].reshape(kernel.shape)


def _alike(before: Tensor, after: Tensor, top: Sequence[int]) -> dict[str, float | None]:
    found = [
        _correlation(before[n, output].numpy(), after[n, output].numpy()) for n, output in enumerate(top)
    ]
    known = [value for value in found if value is not None]
    if not known:
        return {"compared": 0, **dict.fromkeys(FIGURES)}
    figures = (np.mean(known), min(known), max(known), np.mean(np.abs(known)))
    told = (round(float(value), _DIGITS) + 0.0 for value in figures)
    return {"compared": len(known), **dict(zip(FIGURES, told, strict=True))}


def _correlation(one: np.ndarray, other: np.ndarray) -> float | None:
    ranks = [scipy.stats.rankdata(values.ravel()) for values in (one, other)]
    if not np.isfinite(other).all() or min(values.std() for values in ranks) == 0:
        return None
    return float(np.corrcoef(*ranks)[0, 1])
