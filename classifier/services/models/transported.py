"""What the Youden thresholds of an evaluation's datasets give on its other datasets, kept beside its report."""

from dataclasses import dataclass

import numpy as np

from classifier.metrics.listing import is_listed
from classifier.services.evaluation import chosen_on, units
from classifier.services.evaluation.kept import values as kept_values
from classifier.services.evaluation.report import Report
from skinclinic.archive.models import DatasetVersion
from skinclinic.vocabulary.diseases import DISEASE_KEYS

# Of a disease and a threshold: photos of it that are listed, photos of it, others that are not listed, others.
Counts = tuple[int, int, int, int]


@dataclass(frozen=True)
class Elsewhere:
    """What the Youden threshold of one dataset gives on every one: sensitivity and specificity in words."""

    threshold: float | None
    cells: tuple[tuple[str, str], ...]


def transported(report: Report, model: int, key: str) -> list[tuple[dict, Elsewhere]]:
    """The Youden threshold of each dataset, and the sensitivity and specificity it gives on every one.

    Raises NoReport; NotYet where a dataset is more than a request looks through, and no job has yet.
    """
    from classifier.plots.figures import counted

    found = [on(report, one["pk"], model)[key] for one in report.datasets]
    lines = []
    for place, dataset in enumerate(report.datasets):
        threshold = _threshold(report, dataset["pk"], model, key)
        if threshold is None:
            lines.append((dataset, Elsewhere(None, ())))
            continue
        cells = []
        for counts in found:
            listed, positives, left, negatives = counts[place] or (0, 0, 0, 0)
            cells.append((counted(listed, positives), counted(left, negatives)))
        lines.append((dataset, Elsewhere(threshold, tuple(cells))))
    return lines


def on(report: Report, dataset: int, model: int) -> dict[str, list[Counts | None]]:
    """What the threshold of each dataset of the report, in its order, gives on the photos of ``dataset``, by disease;
    None where it has no threshold. Photos of the patients and lesions that a threshold was chosen on are left out on
    other datasets, which may be versions of the same. As it is kept, else from the scores. Raises NoReport, NotYet."""
    versions = DatasetVersion.objects.in_bulk([one["pk"] for one in report.datasets])

    def look() -> dict[str, list[Counts | None]]:
        report.look_through(report.dataset(dataset)["photos"])
        kept = report.scores(dataset, model)
        photos = units.read(report, dataset, model)
        of = {dataset: (kept["scores"], kept["truth"])}
        for pk, version in versions.items():
            if pk != dataset:
                others = photos.only(~chosen_on.Calibration.of_version(version).holds(photos))
                of[pk] = others.scores, others.truth
        return {
            key: [
                _counts(report, one["pk"], model, key, *of[one["pk"]]) if one["pk"] in of else None
                for one in report.datasets
            ]
            for key in DISEASE_KEYS
        }

    revisions = [versions[pk].revision for pk in sorted(versions)]
    told: dict[str, list[Counts | None]] = kept_values.told(
        report, dataset, model, "transported", look, *revisions
    )
    return told


def _counts(
    report: Report, of: int, model: int, key: str, scores: np.ndarray, truth: np.ndarray
) -> Counts | None:
    """What the threshold of the dataset ``of`` gives on scores [n, 12] of photos of ``truth`` [n]."""
    threshold = _threshold(report, of, model, key)
    if threshold is None:
        return None
    listed, with_it = is_listed(scores[:, DISEASE_KEYS.index(key)], threshold), truth == key
    positives = int(with_it.sum())
    right, left = int(listed[with_it].sum()), int((~listed[~with_it]).sum())
    return right, positives, left, len(truth) - positives


def _threshold(report: Report, dataset: int, model: int, key: str) -> float | None:
    at = report.disease(dataset, model, key)["youden"]
    return None if at is None else float(at["threshold"])
