"""Independent trainings side by side: one for each fold of patients, and one on everything."""

import copy
from collections.abc import Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from classifier.metrics import familiarity, roc
from classifier.training.loop import Features, fine_tune, pooled, predict
from classifier.training.settings import Settings
from skinclinic.files import whole

State = dict[str, Tensor]


@dataclass(frozen=True)
class Fit:
    """A training to be done from ``back``; nothing of it depends on other trainings.

    The paths are .npy files of stored front features; they are mapped, not sent between processes.
    ``members`` trainings that differ by their seeds alone are averaged: what they learnt by chance cancels.
    ``kept``: a folder in which the state of each training is kept, by its seed, and taken from where it is there.
    """

    back: nn.Module
    settings: Settings
    photos: str
    photo_labels: np.ndarray
    drawings: str
    drawing_labels: np.ndarray
    kept: str
    members: int = 1

    def start(self, pool: Executor, keep: np.ndarray, seed: int) -> list[Future[State]]:
        """Begin the trainings of all members on the photos numbered ``keep``."""
        return [pool.submit(self.run, keep, seed + 1000 * member) for member in range(self.members)]

    def run(self, keep: np.ndarray, seed: int) -> State:
        """Train on the photos numbered ``keep`` and all drawings; return the state of the back."""
        path = Path(self.kept) / f"training-{seed}.pt"
        if path.exists():
            done: State = torch.load(path, map_location="cpu", weights_only=True)
            return done
        photos = Features(np.load(self.photos, mmap_mode="r")[:, keep], self.photo_labels[keep])
        drawings = Features(np.load(self.drawings, mmap_mode="r"), self.drawing_labels)
        back = copy.deepcopy(self.back)
        fine_tune(back, photos, drawings, self.settings, seed)
        state: State = back.state_dict()
        with whole.whole_file(path) as file:
            torch.save(state, file)
        return state


@dataclass(frozen=True)
class OutOfFold:
    """Scores from networks that did not learn from what they scored.

    ``photos`` [n, outputs] by the network whose training left the photo's fold out; ``drawings``
    [folds, m, outputs] of drawings that none of them learnt from; ``fold_of`` [n]. ``distances`` [n]: how far
    each photo is, by the same network's features, from the photos that this has learnt from
    (``classifier.metrics.familiarity``).
    """

    photos: np.ndarray
    drawings: np.ndarray
    fold_of: np.ndarray
    distances: np.ndarray


def cross_validate(
    fit: Fit, fold_of: np.ndarray, held_out_drawings: np.ndarray, seed: int, pool: Executor
) -> OutOfFold:
    """Train once without each fold and score that fold and the held-out drawings [m, h, w, c]."""
    folds = range(fold_of.max() + 1)
    begun = [fit.start(pool, np.flatnonzero(fold_of != fold), seed + 1 + fold) for fold in folds]
    views = np.load(fit.photos, mmap_mode="r")
    # A copy, because trainings still waiting in the pool are sent with what ``fit.back`` is then.
    back = copy.deepcopy(fit.back)
    scored, drawings = [], []
    distances = np.zeros(len(fold_of))
    for fold, members in zip(folds, begun, strict=True):
        back.load_state_dict(average_state(members))
        left_out = np.flatnonzero(fold_of == fold)
        scored.append((left_out, predict(back, views[0, left_out])))
        features = pooled(back, views[0])
        distances[left_out] = familiarity.fit(features[fold_of != fold]).distances(features[left_out])
        drawings.append(predict(back, held_out_drawings))
    photos = np.zeros((len(fold_of), drawings[0].shape[1]))
    for left_out, scores in scored:
        photos[left_out] = scores
    return OutOfFold(photos, np.stack(drawings), fold_of, distances)


def average_state(members: Sequence[Future[State]]) -> State:
    """The mean of the weights that trainings from the same start end with; waits for them."""
    states = [member.result() for member in members]
    mean = {}
    for name, first in states[0].items():
        mean[name] = (
            torch.stack([state[name] for state in states]).mean(0) if first.is_floating_point() else first
        )
    return mean


def one_vs_rest(scores: np.ndarray, labels: np.ndarray) -> dict[int, float]:
    """AUC of each label that occurs, its column of ``scores`` [n, outputs] against all other labels."""
    return {int(label): roc.auc(scores[:, label], labels == label) for label in np.unique(labels)}


def fold_macro_aucs(out: OutOfFold, labels: np.ndarray) -> list[float]:
    """Mean over the labels of the one-vs-rest AUC within each fold."""
    return [
        float(np.mean(list(one_vs_rest(out.photos[out.fold_of == f], labels[out.fold_of == f]).values())))
        for f in range(out.fold_of.max() + 1)
    ]
