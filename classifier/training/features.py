"""A network in two halves: a frozen front, run once for each picture, and a back that is trained.

On a CPU most of the time of training goes into the front, whose large maps change little in fine-tuning.
Kept frozen, it is run once for a number of random views of each picture, and its output is stored.
"""

from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from classifier.networks.network import MappedClassifier
from classifier.networks.preprocess import Preprocessing, to_array
from classifier.training.augment import random_input

_CHUNK = 32


def front_of(network: MappedClassifier, blocks: int) -> nn.Sequential:
    """The stem and the first ``blocks`` blocks of an EfficientNet-Lite, sharing its parameters."""
    return nn.Sequential(network.backbone.stem, network.backbone.blocks[:blocks])


class Back(nn.Module):
    """The rest of the network, sharing its parameters: front features [N, c, h, w] -> logits [N, outputs].

    Batch normalisation keeps its ImageNet statistics, which small batches would only blur.
    """

    def __init__(self, network: MappedClassifier, blocks: int):
        super().__init__()
        self.body = nn.Sequential(network.backbone.blocks[blocks:], network.backbone.top)
        self.dropout, self.head, self.bias = network.dropout, network.head, network.bias

    def forward(self, features: Tensor) -> Tensor:
        """Return logits; in training pooled features are dropped out."""
        return self.head(self.dropout(self.body(features))).mean(dim=(2, 3)) + self.bias

    def train(self, mode: bool = True) -> "Back":
        """Switch dropout; batch normalisation always stays in evaluation mode."""
        super().train(mode)
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()
        return self


@dataclass(frozen=True)
class FeatureJob:
    """Front features of some pictures: view 0 as in use, views 1 to ``views`` random (``augment.random_input``)."""

    front: nn.Module
    preprocessing: Preprocessing
    views: int
    seed: int
    rand_augment: int = 0

    def run(self, first: int, pictures: list[Image.Image]) -> np.ndarray:
        """Return float16 [views + 1, n, h, w, c]; ``first`` is the number of the first picture."""
        return np.stack([self._view(view, first, pictures) for view in range(self.views + 1)])

    def _view(self, view: int, first: int, pictures: list[Image.Image]) -> np.ndarray:
        batch = np.stack([self._input(view, first + i, picture) for i, picture in enumerate(pictures)])
        images = torch.from_numpy(batch).contiguous(memory_format=torch.channels_last)
        with torch.inference_mode():
            features = self.front.eval()(images)
        return np.asarray(features.permute(0, 2, 3, 1).half().numpy())

    def _input(self, view: int, number: int, picture: Image.Image) -> np.ndarray:
        if view == 0:
            return to_array(picture, self.preprocessing)
        rng = np.random.default_rng([self.seed, view, number])
        return random_input(picture, self.preprocessing, rng, self.rand_augment)


def store_features(job: FeatureJob, pictures: list[Image.Image], path: Path, pool: Executor) -> np.ndarray:
    """Run ``job`` over ``pictures`` in parallel; return a read-only memory map [views + 1, n, h, w, c]. A file that is
    there already is taken as it is."""
    if path.exists():
        return np.lib.format.open_memmap(path, mode="r")
    unfinished = path.with_suffix(".part")
    starts = range(0, len(pictures), _CHUNK)
    parts = pool.map(job.run, starts, [pictures[start : start + _CHUNK] for start in starts])
    stored: np.memmap | None = None
    for start, part in zip(starts, parts, strict=True):
        if stored is None:
            shape = (part.shape[0], len(pictures), *part.shape[2:])
            stored = np.lib.format.open_memmap(unfinished, mode="w+", dtype=np.float16, shape=shape)
        stored[:, start : start + part.shape[1]] = part
    if stored is None:
        raise ValueError("there is no picture")
    stored.flush()
    unfinished.replace(path)
    return np.lib.format.open_memmap(path, mode="r")
