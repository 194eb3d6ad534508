"""What every runtime offers: images in, probabilities and class activation maps out."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from classifier.metrics.familiarity import Familiar
from classifier.networks.manifest import Manifest


class OnlyInPyTorch(Exception):
    """A network whose maps need a gradient that PyTorch alone computes (``classifier.networks.by_gradient``)."""


@dataclass(frozen=True)
class Computed:
    """How an answer was computed. ``runtime``: the library and its version; ``precision``: that of the network but its
    last layer on a GPU, "f32", "bf16" or "f16" (``precisions``)."""

    runtime: str
    precision: str


class Raw(NamedTuple):
    """What a network says of N images, all float32: ``logits`` [N, C], ``maps`` [N, C, h, w] and ``features`` [N, D],
    what its last linear layer is given, after pooling."""

    logits: np.ndarray
    maps: np.ndarray
    features: np.ndarray


class Answer(NamedTuple):
    """The same with ``probabilities`` [N, C], the softmax of the logits."""

    probabilities: np.ndarray
    maps: np.ndarray
    features: np.ndarray


class Runtime(ABC):
    """A loaded model. ``device``: where it computes, in words. ``max_batch``: images taken at once. ``computed``: how
    the latest answer was computed; before the first one, how it will be. ``familiar``: what its training photos are
    like; None where the model does not say. ``side_by_side``: for how many threads it computes at the same time, each
    with its share of the processor; 1: one after the other, each with all of it."""

    manifest: Manifest
    device: str
    max_batch: int
    computed: Computed
    familiar: Familiar | None = None
    side_by_side: int = 1

    def forward(self, batch: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """``answer`` without the features."""
        answer = self.answer(batch)
        return answer.probabilities, answer.maps

    def answer(self, batch: np.ndarray) -> Answer:
        """Images float32 [N, 3, S, S], N >= 1 -> probabilities, maps and features.

        The C outputs are the diseases, then the background classes; probabilities are their softmax. More
        than ``max_batch`` images are taken in parts. ValueError for another shape or type.
        """
        side = self.manifest.preprocessing.input_size
        if batch.dtype != np.float32 or batch.shape[1:] != (3, side, side) or not len(batch):
            raise ValueError(f"expected float32 [N, 3, {side}, {side}], got {batch.dtype} {batch.shape}")
        raw = self.in_parts(batch)
        return Answer(softmax(raw.logits), raw.maps, raw.features)

    def in_parts(self, batch: np.ndarray) -> Raw:
        """``compute`` of any number of images, ``max_batch`` at once, which may shrink on the way."""
        parts, start = [], 0
        while start < len(batch):
            part = batch[start : start + self.max_batch]
            parts.append(self.compute(part))
            start += len(part)
        return Raw(*map(np.concatenate, zip(*parts, strict=True)))

    def feature_maps(self, batch: np.ndarray) -> np.ndarray:
        """Images as ``answer`` takes them -> the last feature maps, before pooling: float32 [N, K, h, w].

        Squares of a photo are proposed by them (``classifier.analysing.squares``). One by one: the maps of many images
        are large.
        """
        return np.concatenate([self.compute_feature_maps(batch[n : n + 1]) for n in range(len(batch))])

    @abstractmethod
    def compute_feature_maps(self, image: np.ndarray) -> np.ndarray:
        """One image [1, 3, S, S] -> float32 [1, K, h, w]."""

    @abstractmethod
    def compute(self, batch: np.ndarray) -> Raw:
        """Images float32 [N, 3, S, S], N <= max_batch -> what the network says of them."""


def softmax(logits: np.ndarray) -> np.ndarray:
    """Logits [N, C] -> probabilities float32 [N, C]. What is not finite stays so in its row."""
    with np.errstate(invalid="ignore"):
        shifted = np.exp(np.float64(logits) - logits.max(axis=1, keepdims=True))
        return np.asarray(shifted / shifted.sum(axis=1, keepdims=True), np.float32)
