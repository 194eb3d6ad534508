"""Small trainings by the product's own trainer, on pictures that are made up in memory."""

import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from torch import nn
from torch.utils.data import Dataset

from classifier.training import runner
from classifier.training.initial import state_hash
from classifier.training.plan import RANDOM, Plan, Sample, settings_for
from classifier.training.trainer import Trainer
from classifier.training.world import World
from skinclinic.imaging import Box
from skinclinic.vocabulary.diseases import DISEASE_KEYS

_STEPS = 4
_BATCH = 8


class Pictures(Dataset):
    """Network inputs by number and seed, as the product's photos are; each label has a brightness of its own."""

    def __init__(self, labels: np.ndarray, side: int):
        self.labels, self.side = labels, side

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, key: tuple[int, tuple[int, ...]]) -> tuple[np.ndarray, int]:
        number, seed = key
        label = int(self.labels[number])
        noise = np.random.default_rng((number, *seed)).standard_normal((3, self.side, self.side))
        return np.float32(noise + label / len(DISEASE_KEYS)), label


def trainer(
    architecture: str,
    world: World,
    folder: Path,
    *,
    side: int,
    batch: int,
    seed: int = 1,
    dropout: float = 0.2,
) -> Trainer:
    """A trainer of ``_STEPS`` steps that starts from random weights."""
    labels = np.arange(_STEPS * batch + len(DISEASE_KEYS)) % len(DISEASE_KEYS)
    box = Box(0, 0, side)
    samples = [Sample("", f"{n:064x}", box, int(label), f"patient {n}") for n, label in enumerate(labels)]
    settings = replace(settings_for(architecture, RANDOM, epochs=1, batch=batch), mixup=0.2)
    plan = Plan(
        architecture, RANDOM, seed, 1, image_size=side, frozen_blocks=0, dropout=dropout, settings=settings
    )
    validates = np.arange(len(labels)) >= _STEPS * batch
    network, _start = runner.begin(plan)
    made = Trainer(network, samples, validates, plan, world, folder)
    made.views = Pictures(labels, side)
    return made


def trained(architecture: str, world: World, side: int, seed: int) -> str:
    """The hash of the weights that a whole training ends with."""
    with tempfile.TemporaryDirectory() as folder:
        return state_hash(
            trainer(architecture, world, Path(folder), side=side, batch=_BATCH, seed=seed).run()
        )


def gradients(network: nn.Module) -> dict[str, np.ndarray]:
    """The gradients a step left behind, by parameter."""
    return {
        name: parameter.grad.detach().float().cpu().numpy()
        for name, parameter in network.named_parameters()
        if parameter.grad is not None
    }


def cosine(left: np.ndarray, right: np.ndarray) -> float:
    """How far two gradients point the same way."""
    left, right = np.float64(left).ravel(), np.float64(right).ravel()
    return float(left @ right / (np.linalg.norm(left) * np.linalg.norm(right)))
