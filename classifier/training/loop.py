"""The training loop: AdamW, warm-up and cosine, mixup, label smoothing, averaged weights."""

import copy
import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True)
class Settings:
    """How to train. Sizes count pictures, rates are AdamW's."""

    epochs: int = 12
    batch: int = 16
    drawn_in_batch: int = 4
    rate: float = 4e-4
    head_rate: float = 4e-3
    weight_decay: float = 0.02
    label_smoothing: float = 0.1
    mixup: float = 0.2
    mixup_share: float = 0.5
    balance: float = 0.5  # 0: as common as in the data; 1: every label equally often
    average: float = 0.97


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
    optimizer = _optimizer(back, settings)
    averaged = copy.deepcopy(back)
    batches = len(photos.labels) // settings.batch
    total = batches * settings.epochs
    weights = _label_weights(photos.labels, settings.balance)
    drawn_weights = _label_weights(drawings.labels, 1.0)
    back.train()
    for step in range(total):
        if step % batches == 0:
            order = _even_sample(weights, batches * settings.batch, rng).reshape(batches, -1)
        features, labels = photos.pick(order[step % batches], rng)
        if settings.drawn_in_batch:
            drawn = _even_sample(drawn_weights, settings.drawn_in_batch, rng)
            more, more_labels = drawings.pick(drawn, rng)
            features, labels = np.concatenate([features, more]), np.concatenate([labels, more_labels])
        inputs, targets = _mix(to_tensor(features), torch.from_numpy(labels), len(back.bias), settings, rng)
        _set_rate(optimizer, step / total)
        optimizer.zero_grad()
        functional.cross_entropy(back(inputs), targets, label_smoothing=settings.label_smoothing).backward()
        nn.utils.clip_grad_norm_(back.parameters(), 5.0)
        optimizer.step()
        _follow(averaged, back, min(settings.average, (step + 1) / (step + 10)))
    back.load_state_dict(averaged.state_dict())


def predict(back: nn.Module, features: np.ndarray) -> np.ndarray:
    """Softmax scores [n, outputs] of stored features [n, h, w, c]."""
    back.eval()
    with torch.inference_mode():
        parts = [
            back(to_tensor(features[i : i + 32])).softmax(1).numpy() for i in range(0, len(features), 32)
        ]
    return np.concatenate(parts).astype(np.float64)


def to_tensor(features: np.ndarray) -> Tensor:
    """Stored features [n, h, w, c] as a float32 tensor [n, c, h, w] in channels-last order."""
    return torch.from_numpy(features.astype(np.float32)).permute(0, 3, 1, 2)


def _optimizer(back: nn.Module, settings: Settings) -> torch.optim.AdamW:
    body = list(back.body.parameters())
    groups = [
        {"params": [p for p in body if p.ndim > 1], "lr": settings.rate},
        {"params": [p for p in body if p.ndim == 1], "lr": settings.rate, "weight_decay": 0.0},
        {"params": [back.head.weight], "lr": settings.head_rate},
        {"params": [back.bias], "lr": settings.head_rate, "weight_decay": 0.0},
    ]
    for group in groups:
        group["full_rate"] = group["lr"]
    return torch.optim.AdamW(groups, weight_decay=settings.weight_decay)


def _set_rate(optimizer: torch.optim.Optimizer, progress: float) -> None:
    factor = min(1.0, (progress + 0.005) / 0.1) * 0.5 * (1 + math.cos(math.pi * progress))
    for group in optimizer.param_groups:
        group["lr"] = group["full_rate"] * factor


def _label_weights(labels: np.ndarray, balance: float) -> np.ndarray:
    weights = np.bincount(labels)[labels].astype(float) ** -balance
    return weights / weights.sum()


def _even_sample(weights: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Draw ``count`` numbers by weight, as evenly as whole numbers allow, in random order."""
    marks = (np.arange(count) + rng.random()) / count
    shuffled = rng.permutation(len(weights))
    drawn = shuffled[np.minimum(np.searchsorted(np.cumsum(weights[shuffled]), marks), len(weights) - 1)]
    return rng.permutation(drawn)


def _mix(inputs: Tensor, labels: Tensor, outputs: int, settings: Settings, rng: np.random.Generator):
    targets = functional.one_hot(labels.long(), outputs).float()
    if settings.mixup and rng.random() < settings.mixup_share:
        share = float(rng.beta(settings.mixup, settings.mixup))
        other = torch.from_numpy(rng.permutation(len(inputs)))
        inputs = share * inputs + (1 - share) * inputs[other]
        targets = share * targets + (1 - share) * targets[other]
    return inputs, targets


@torch.no_grad()
def _follow(averaged: nn.Module, trained: nn.Module, keep: float) -> None:
    for slow, fast in zip(averaged.parameters(), trained.parameters(), strict=True):
        slow.lerp_(fast, 1 - keep)
