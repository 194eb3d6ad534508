"""What every training here does at a step: sampling by label, mixup, rates, averaged weights."""

import math

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from classifier.training.settings import Settings

LARGEST_GRADIENT = 5.0


def optimizer_of(
    body: list[nn.Parameter], head: nn.Conv2d, bias: nn.Parameter, settings: Settings
) -> torch.optim.Optimizer:
    """AdamW with a rate for the body and one for the head; no decay of biases and normalisation."""
    groups = [
        {"params": [p for p in body if p.ndim > 1], "lr": settings.rate},
        {"params": [p for p in body if p.ndim == 1], "lr": settings.rate, "weight_decay": 0.0},
        {"params": [head.weight], "lr": settings.head_rate},
        {"params": [bias], "lr": settings.head_rate, "weight_decay": 0.0},
    ]
    for group in groups:
        group["full_rate"] = group["lr"]
    return torch.optim.AdamW(groups, weight_decay=settings.weight_decay)


def set_rate(optimizer: torch.optim.Optimizer, progress: float) -> None:
    """Warm up over the first tenth of a training, then follow a cosine to zero."""
    factor = min(1.0, (progress + 0.005) / 0.1) * 0.5 * (1 + math.cos(math.pi * progress))
    for group in optimizer.param_groups:
        group["lr"] = group["full_rate"] * factor


def label_weights(labels: np.ndarray, balance: float) -> np.ndarray:
    """How often each example is drawn; ``balance`` 0: all alike, 1: every label equally often."""
    weights = np.bincount(labels)[labels].astype(float) ** -balance
    return np.asarray(weights / weights.sum())


def even_sample(weights: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Draw ``count`` numbers by weight, as evenly as whole numbers allow, in random order."""
    marks = (np.arange(count) + rng.random()) / count
    shuffled = rng.permutation(len(weights))
    drawn = shuffled[np.minimum(np.searchsorted(np.cumsum(weights[shuffled]), marks), len(weights) - 1)]
    return rng.permutation(drawn)


def mix(
    inputs: Tensor, labels: Tensor, outputs: int, settings: Settings, rng: np.random.Generator
) -> tuple[Tensor, Tensor]:
    """Mixup for some batches; return the inputs and their soft targets [n, outputs]."""
    targets = functional.one_hot(labels.long(), outputs).float()
    if settings.mixup and rng.random() < settings.mixup_share:
        share = float(rng.beta(settings.mixup, settings.mixup))
        other = torch.from_numpy(rng.permutation(len(inputs))).to(inputs.device)
        inputs = share * inputs + (1 - share) * inputs[other]
        targets = share * targets + (1 - share) * targets[other]
    return inputs, targets


def keep_share(average: float, step: int) -> float:
    """How much of the averaged weights stays at a step: less in the beginning, then ``average``."""
    return min(average, (step + 1) / (step + 10))


def follow(averaged: nn.Module, trained: nn.Module, keep: float) -> None:
    """Move the averaged parameters towards the trained ones."""
    with torch.no_grad():
        for slow, fast in zip(averaged.parameters(), trained.parameters(), strict=True):
            slow.lerp_(fast, 1 - keep)
