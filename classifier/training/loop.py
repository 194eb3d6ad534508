"""Training on stored front features: AdamW, warm-up and cosine, mixup, label smoothing, averaged weights."""

import copy
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from classifier.training import steps
from classifier.training.settings import Settings


@dataclass(frozen=True)
class Features:
    """Stored front features [views + 1, n, h, w, c] (view 0 undistorted) and their labels [n]."""

    values: np.ndarray
    labels: np.ndarray

    def pick(self, indices: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Return a random view of each of ``indices``, and the labels."""
        views = rng.integers(1, len(self.values), len(indices))
        return self.values[views, indices], self.labels[indices]


def fine_tune(back: nn.Module, photos: Features, drawings: Features, settings: Settings, seed: int) -> None:
    """Train ``back`` in place and leave it with the running average of its weights.

    Every batch has ``settings.batch`` photos, rare labels more often, and some drawings, evenly by label.
    """
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    optimizer = steps.optimizer_of(list(back.body.parameters()), back.head, back.bias, settings)
    averaged = copy.deepcopy(back)
    batches = len(photos.labels) // settings.batch
    total = batches * settings.epochs
    weights = steps.label_weights(photos.labels, settings.balance)
    drawn_weights = steps.label_weights(drawings.labels, 1.0)
    back.train()
    for step in range(total):
        if step % batches == 0:
            order = steps.even_sample(weights, batches * settings.batch, rng).reshape(batches, -1)
        features, labels = photos.pick(order[step % batches], rng)
        if settings.drawn_in_batch:
            drawn = steps.even_sample(drawn_weights, settings.drawn_in_batch, rng)
            more, more_labels = drawings.pick(drawn, rng)
            features, labels = np.concatenate([features, more]), np.concatenate([labels, more_labels])
        inputs, targets = steps.mix(
            to_tensor(features), torch.from_numpy(labels), len(back.bias), settings, rng
        )
        steps.set_rate(optimizer, step / total)
        optimizer.zero_grad()
        functional.cross_entropy(back(inputs), targets, label_smoothing=settings.label_smoothing).backward()
        nn.utils.clip_grad_norm_(back.parameters(), steps.LARGEST_GRADIENT)
        optimizer.step()
        steps.follow(averaged, back, steps.keep_share(settings.average, step))
    back.load_state_dict(averaged.state_dict())


def predict(back: nn.Module, features: np.ndarray) -> np.ndarray:
    """Softmax scores [n, outputs] of stored features [n, h, w, c]."""
    return _in_parts(back, lambda stored: back(stored).softmax(1), features)


def pooled(back: nn.Module, features: np.ndarray) -> np.ndarray:
    """Pooled features [n, D], before the linear layer, of stored features [n, h, w, c]."""
    return _in_parts(back, lambda stored: back.body(stored).mean(dim=(2, 3)), features)


def _in_parts(back: nn.Module, run: Callable[[Tensor], Tensor], features: np.ndarray) -> np.ndarray:
    back.eval()
    with torch.inference_mode():
        parts = [run(to_tensor(features[i : i + 32])).numpy() for i in range(0, len(features), 32)]
    return np.concatenate(parts).astype(np.float64)


def to_tensor(features: np.ndarray) -> Tensor:
    """Stored features [n, h, w, c] as a float32 tensor [n, c, h, w] in channels-last order."""
    return torch.from_numpy(features.astype(np.float32)).permute(0, 3, 1, 2)
