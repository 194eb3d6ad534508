"""The scores of an evaluation in order, kept beside its report, so that thresholds are chosen from them without a look
through all photos: of each disease, of a dataset and a model, one place is read.

Two rows of numbers a disease lie one after another in a file. ``below``: of its photos, from the highest score to the
lowest, the highest threshold that lists the photo and those before it. ``lowest``: the lowest score of each of its
patients (``metrics.conformal``), rising. Where they begin, and all else, is told with what ``kept_coverage`` keeps; the
file is named for its content. It names nobody.
"""

import hashlib
import math
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from classifier.metrics import conformal, roc
from classifier.metrics.youden import youden
from classifier.services.evaluation.report import NotYet, Report
from classifier.services.evaluation.units import Photos
from classifier.services.models import kept_coverage
from skinclinic.files import whole
from skinclinic.vocabulary.diseases import DISEASE_KEYS


@dataclass(frozen=True)
class OfDisease:
    """``youden``: the threshold; None where the photos cannot tell the disease. ``photos``: of it, of patients who are
    still known; ``below`` is of all that were evaluated."""

    youden: float | None
    photos: int
    below: np.ndarray
    lowest: np.ndarray

    @property
    def positives(self) -> int:
        return len(self.below)

    def most_specific(self, least_sensitivity: float) -> float:
        """The highest threshold that still lists that share (more than 0, up to 1) of its photos."""
        least = math.ceil(least_sensitivity * self.positives)
        # As shares are compared, which no product decides.
        while least > 1 and (least - 1) / self.positives >= least_sensitivity:
            least -= 1
        while least / self.positives < least_sensitivity:
            least += 1
        return float(self.below[least - 1])


@dataclass(frozen=True)
class Ordered:
    """Of one dataset and model. ``units``: how many there are by kind (``Photos.units_by_kind``); ``gone``: photos that
    were withdrawn or deleted since."""

    units: dict[str, int]
    gone: int
    diseases: dict[str, OfDisease]


def of(report: Report, dataset: int, model: int, photos: Callable[[], Photos]) -> Ordered:
    """As they are kept; else as ``photos``, which reads the photos, tells. Raises NoReport, NotYet."""
    folder, made = report.row.folder, []

    def look() -> dict[str, Any]:
        of_photos = photos()
        told, values = _look(report.scores(dataset, model), of_photos)
        content = BytesIO()
        np.save(content, values)
        name = f"scores-{dataset}-{model}-{hashlib.sha256(content.getvalue()).hexdigest()[:16]}.npy"
        with suppress(OSError):
            if folder.is_dir():
                whole.write_whole(folder / name, content.getvalue())
                _remove_others(folder, f"scores-{dataset}-{model}-*.npy", name)
        made.append(values)
        return told | {"file": name}

    told = kept_coverage.told(
        report, dataset, model, "scores", look, holds=lambda told: (folder / told["file"]).is_file()
    )
    values = made[0] if made else _opened(report, told["file"])
    diseases = {
        key: OfDisease(
            one["youden"], one["photos"], values[slice(*one["below"])], values[slice(*one["lowest"])]
        )
        for key, one in told["diseases"].items()
    }
    return Ordered(told["units"], told["gone"], diseases)


def _look(kept: dict[str, np.ndarray], photos: Photos) -> tuple[dict[str, Any], np.ndarray]:
    """What is told, and the numbers."""
    diseases: dict[str, dict[str, Any]] = {}
    rows: list[np.ndarray] = []
    at = 0
    for place, key in enumerate(DISEASE_KEYS):
        scores, truth, there = kept["scores"][:, place], kept["truth"] == key, photos.truth == key
        try:
            curve = roc.roc(scores, truth)
            best, below = youden(curve).threshold, _below(curve)
        except roc.NotEvaluable:
            best, below = None, np.empty(0)
        lowest = conformal.in_order(conformal.lowest_scores(photos.scores[there, place], photos.units[there]))
        places = (at, at + len(below), at + len(below) + len(lowest))
        diseases[key] = {
            "youden": best, "photos": int(there.sum()), "below": places[:2], "lowest": places[1:],
        }  # fmt: skip
        rows += [below, lowest]
        at = places[2]
    return {"units": photos.units_by_kind(), "gone": photos.gone, "diseases": diseases}, np.concatenate(rows)


def _below(curve: roc.Roc) -> np.ndarray:
    """For each number of positives, from one, the highest threshold that still lists so many."""
    listed = np.arange(1, curve.positives + 1)
    # They fall as the threshold rises.
    last = np.searchsorted(-curve.true_positives, -listed, side="right") - 1
    return curve.thresholds[last]


def _opened(report: Report, name: str) -> np.ndarray:
    try:
        found: np.ndarray = np.load(report.row.folder / name, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        # Between two looks at it a job has put another in its place.
        raise NotYet(report.row) from error
    return found


def _remove_others(folder: Path, pattern: str, name: str) -> None:
    for path in folder.glob(pattern):
        if path.name != name:
            path.unlink(missing_ok=True)
