"""What a network learns from: labelled square pictures of patients, or drawings."""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from classifier.drawings.other import not_a_lesion
from classifier.drawings.synthetic import synthetic_lesion
from skinclinic.vocabulary.diseases import DISEASE_KEYS

# PAD-UFES-20's diagnoses. Its SCC includes Bowen's disease (our ``iec``), which cannot be told apart there.
PAD_UFES_20 = {"BCC": "bcc", "SCC": "scc", "ACK": "ak", "SEK": "sk", "MEL": "mm", "NEV": "nevus"}


@dataclass(frozen=True)
class Examples:
    """Square RGB ``pictures``, their ``labels`` [n] (numbers of outputs) and ``patients``, alike in length."""

    pictures: list[Image.Image]
    labels: np.ndarray
    patients: list[str]

    def __len__(self) -> int:
        return len(self.pictures)


def read_pad_ufes_20(folder: Path) -> Examples:
    """Read a PAD-UFES-20 folder (``metadata.csv``, ``images/``): the largest centred square of each photo.

    Raises OSError for a missing file, ValueError for a diagnosis that is not among the six.
    """
    rows = _rows(folder)
    if unknown := {row["diagnostic"] for row in rows} - PAD_UFES_20.keys():
        raise ValueError(f"unknown diagnoses in metadata.csv: {', '.join(sorted(unknown))}")
    return Examples(
        [_centred_square(path) for path in photo_files(folder)],
        np.array([DISEASE_KEYS.index(PAD_UFES_20[row["diagnostic"]]) for row in rows]),
        [row["patient_id"] for row in rows],
    )


def photo_files(folder: Path) -> list[Path]:
    """The photos of a PAD-UFES-20 folder, in the order of its table."""
    return [Path(folder) / "images" / row["file_name"] for row in _rows(folder)]


def _rows(folder: Path) -> list[dict[str, str]]:
    with (Path(folder) / "metadata.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def draw(each: int, others: int, first_seed: int, side: int) -> Examples:
    """Draw ``each`` lesions of every disease and ``others`` pictures of no lesion (label 12)."""
    pictures = [synthetic_lesion(key, first_seed + i, side) for key in DISEASE_KEYS for i in range(each)]
    pictures += [not_a_lesion(first_seed + i, side) for i in range(others)]
    labels = np.repeat(np.arange(len(DISEASE_KEYS) + 1), [each] * len(DISEASE_KEYS) + [others])
    return Examples(pictures, labels, [f"drawing {i}" for i in range(len(pictures))])


def patient_folds(labels: np.ndarray, patients: list[str], folds: int, seed: int) -> np.ndarray:
    """Deal examples into ``folds`` groups of like composition; a patient's examples stay together.

    Patients come in random order, those with the rarest label first, and go to the fold that has the fewest
    examples of that label, then the fewest at all. Returns the fold of each example.
    """
    members: dict[str, list[int]] = {}
    for index, patient in enumerate(patients):
        members.setdefault(patient, []).append(index)
    order = sorted(members)
    np.random.default_rng(seed).shuffle(order)
    counts = np.bincount(labels)
    dealt = np.zeros((folds, len(counts)), int)
    fold_of = np.full(len(labels), -1)
    for label in np.argsort(counts, kind="stable"):
        for patient in order:
            indices = members[patient]
            if fold_of[indices[0]] >= 0 or label not in labels[indices]:
                continue
            fold = min(range(folds), key=lambda f: (dealt[f, label], dealt[f].sum()))
            fold_of[indices] = fold
            np.add.at(dealt[fold], labels[indices], 1)
    return fold_of


def _centred_square(path: Path) -> Image.Image:
    with Image.open(path) as photo:
        image = photo.convert("RGB")
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    return image.crop((left, top, left + side, top + side))
