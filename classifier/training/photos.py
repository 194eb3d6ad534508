"""Photos from disk to batches. What a view looks like depends on the seed and the step alone."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from classifier.networks.preprocess import Preprocessing, to_array
from classifier.training.augment import random_input
from classifier.training.errors import TrainingRefused
from classifier.training.examples import patient_folds
from classifier.training.plan import Sample
from skinclinic import imaging
from skinclinic.files.reasons import reason

# Parts of a seed, so that order, views and mixup are drawn independently of each other.
ORDER, VIEW, MIX, DROP = 1, 2, 3, 4
_MOST_LOADERS = 16

# A photo's number and where its random view comes from; empty: as in use.
Key = tuple[int, tuple[int, ...]]


class Views(Dataset):
    """Network inputs of the photos, by ``Key``: (float32 [3, S, S], label)."""

    def __init__(self, samples: Sequence[Sample], preprocessing: Preprocessing):
        self.samples = samples
        self.preprocessing = preprocessing

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, key: Key) -> tuple[np.ndarray, int]:
        number, seed = key
        sample = self.samples[number]
        picture = imaging.crop(imaging.open_rgb(Path(sample.path).read_bytes()), sample.box)
        if seed:
            return random_input(picture, self.preprocessing, np.random.default_rng(seed)), sample.label
        return to_array(picture, self.preprocessing), sample.label


def loader(
    views: Views, batches: Sequence[Sequence[Key]] | Iterator[Sequence[Key]], workers: int
) -> DataLoader:
    """Batches of (images [n, 3, S, S], labels [n]) in the order of ``batches``."""
    return DataLoader(
        views,
        batch_sampler=batches,
        num_workers=min(workers, _MOST_LOADERS),
        pin_memory=torch.cuda.is_available(),
    )


def check_files(samples: Sequence[Sample]) -> None:
    """Raise TrainingRefused unless every photo is there and is the one that the dataset froze."""
    for sample in samples:
        try:
            found = imaging.sha256(Path(sample.path).read_bytes())
        except OSError as error:
            raise TrainingRefused(
                "photo_missing", f"The photo {sample.sha256[:12]} cannot be read: {reason(error)}."
            ) from error
        if found != sample.sha256:
            raise TrainingRefused(
                "photo_changed",
                f"The photo {sample.sha256[:12]} is no longer the one in the dataset: its hash differs.",
            )


def validation_side(samples: Sequence[Sample], share: float, seed: int) -> np.ndarray:
    """Which photos validate (bool [n]): whole patients, each label shared out, the rarest to training first.

    The same photos are divided alike whatever their order. Raises TrainingRefused for fewer than two patients.
    """
    order = sorted(range(len(samples)), key=lambda n: (samples[n].sha256, samples[n].group))
    groups = [samples[n].group for n in order]
    folds = min(max(2, round(1 / share)), len(set(groups)))
    if folds < 2:
        raise TrainingRefused(
            "too_few_patients",
            "Training needs photos of at least two patients: some are left out to validate.",
        )
    labels = np.array([samples[n].label for n in order])
    fold_of = patient_folds(labels, groups, folds, seed)
    side = np.zeros(len(samples), bool)
    side[order] = fold_of == folds - 1
    return side
