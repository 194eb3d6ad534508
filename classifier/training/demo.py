"""The recipe of the demo model: photos of six diseases together with drawings of all twelve.

The front of a small network keeps its ImageNet weights; the rest is fine-tuned. The same training runs five
times, each without a fifth of the patients, to see how it does on patients it does not know and to choose
thresholds; the shipped weights come from a training on all of them.
"""

import time
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from classifier.networks.architectures import ARCHITECTURES
from classifier.networks.network import MappedClassifier, build
from classifier.networks.preprocess import Preprocessing
from classifier.training.crossval import Fit, OutOfFold, average_state, cross_validate
from classifier.training.examples import Examples, draw, patient_folds
from classifier.training.features import Back, FeatureJob, front_of, store_features
from classifier.training.loop import predict
from classifier.training.settings import Settings
from classifier.training.workers import worker_pool
from skinclinic.vocabulary.diseases import DISEASE_KEYS

BACKGROUND = ("other",)
# Drawings for training, held-out drawings, and those anybody else makes (small seeds) never share a seed.
TRAINING_SEED, HELD_OUT_SEED = 100_000, 200_000


@dataclass(frozen=True)
class Recipe:
    """All numbers of a training.

    ``frozen_blocks``: how many blocks keep their ImageNet weights; ``members``: how many trainings are
    averaged; ``views``, ``drawn_views``: random variations stored of each photo and each drawing;
    ``rand_augment``: strength of RandAugment on those of the photos (0 to 30); drawings go without.
    """

    architecture: str = "efficientnet_lite2"
    input_size: int = 260
    frozen_blocks: int = 11
    members: int = 2
    dropout: float = 0.2
    views: int = 12
    drawn_views: int = 2
    rand_augment: int = 0
    drawn_each: int = 20
    drawn_others: int = 60
    held_out_each: int = 8
    held_out_others: int = 24
    settings: Settings = field(default_factory=Settings)

    @property
    def preprocessing(self) -> Preprocessing:
        """What the network expects."""
        design = ARCHITECTURES[self.architecture]
        return Preprocessing(self.input_size, design.mean, design.std)


@dataclass(frozen=True)
class Trained:
    """A trained network (full state dict) and what is known of it.

    ``out_of_fold`` is None without cross-validation; ``drawn_scores`` are the network's own scores of the
    held-out drawings with labels ``drawn_labels``.
    """

    state: dict[str, Tensor]
    out_of_fold: OutOfFold | None
    drawn_scores: np.ndarray
    drawn_labels: np.ndarray


def new_network(recipe: Recipe, seed: int) -> MappedClassifier:
    """A network for the 12 diseases and "other", with random weights."""
    torch.manual_seed(seed)
    return build(recipe.architecture, len(DISEASE_KEYS) + len(BACKGROUND), dropout=recipe.dropout)


def train(
    recipe: Recipe,
    photos: Examples,
    network: MappedClassifier,
    *,
    folds: int,
    seed: int,
    jobs: int,
    scratch: Path,
    say: Callable[[str], None] = print,
) -> Trained:
    """Train ``network`` in place by ``recipe``; cross-validate over ``folds`` groups of patients (0: not).

    The folds start from the same weights, usually those of ImageNet. ``jobs`` processes work side by side,
    one thread each, which does not change the result. ``scratch`` is a folder for stored features (less than a
    gigabyte) and finished trainings; what is there of a run that was stopped is gone on with.
    """
    started = time.monotonic()

    def report(text: str) -> None:
        say(f"{time.monotonic() - started:6.0f} s  {text}")

    side = round(1.4 * recipe.input_size)
    drawings = draw(recipe.drawn_each, recipe.drawn_others, TRAINING_SEED, side)
    held_out = draw(recipe.held_out_each, recipe.held_out_others, HELD_OUT_SEED, side)
    report(f"{len(photos)} photos, {len(drawings)} drawings and {len(held_out)} held out")
    with worker_pool(jobs) as pool:
        fit, unseen = _prepare(recipe, network, photos, drawings, held_out, seed, scratch, pool)
        report("frozen front done")
        if there := len(list(scratch.glob("training-*.pt"))):
            report(f"{there} of {recipe.members * (1 + folds)} trainings are there already")
        whole = fit.start(pool, np.arange(len(photos)), seed)
        out = None
        if folds:
            fold_of = patient_folds(photos.labels, photos.patients, folds, seed)
            out = cross_validate(fit, fold_of, unseen, seed, pool)
            report(f"{folds} folds done")
        fit.back.load_state_dict(average_state(whole))
    report("training on all photos done")
    return Trained(network.state_dict(), out, predict(fit.back, unseen), held_out.labels)


def _prepare(
    recipe: Recipe,
    network: MappedClassifier,
    photos: Examples,
    drawings: Examples,
    held_out: Examples,
    seed: int,
    scratch: Path,
    pool: Executor,
) -> tuple[Fit, np.ndarray]:
    """Store front features; return the training to be done and the features of the held-out drawings."""
    network = network.to(memory_format=torch.channels_last)
    front = front_of(network, recipe.frozen_blocks)
    paths = {name: scratch / f"{name}.npy" for name in ("photos", "drawings", "held_out")}
    sources = (
        ("photos", photos, recipe.views, recipe.rand_augment),
        ("drawings", drawings, recipe.drawn_views, 0),
    )
    for name, examples, views, rand_augment in sources:
        job = FeatureJob(front, recipe.preprocessing, views, seed, rand_augment)
        store_features(job, examples.pictures, paths[name], pool)
    job = FeatureJob(front, recipe.preprocessing, 0, seed)
    unseen = store_features(job, held_out.pictures, paths["held_out"], pool)[0]
    back = Back(network, recipe.frozen_blocks)
    fit = Fit(
        back,
        recipe.settings,
        str(paths["photos"]),
        photos.labels,
        str(paths["drawings"]),
        drawings.labels,
        str(scratch),
        recipe.members,
    )
    return fit, unseen
