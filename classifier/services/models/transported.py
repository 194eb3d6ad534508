"""What the Youden thresholds of an evaluation's datasets give on its other datasets, kept beside its report."""

from dataclasses import dataclass

from classifier.metrics.listing import is_listed
from classifier.services.evaluation.kept import values as kept_values
from classifier.services.evaluation.report import Report
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
    None where it has no threshold. As it is kept, else from the scores. Raises NoReport, NotYet."""

    def look() -> dict[str, list[Counts | None]]:
        report.look_through(report.dataset(dataset)["photos"])
        kept = report.scores(dataset, model)
        found: dict[str, list[Counts | None]] = {}
        for place, key in enumerate(DISEASE_KEYS):
            scores, truth = kept["scores"][:, place], kept["truth"] == key
            found[key] = []
            for other in report.datasets:
                threshold = _threshold(report, other["pk"], model, key)
                if threshold is None:
                    found[key].append(None)
                    continue
                listed = is_listed(scores, threshold)
                positives = int(truth.sum())
                right, left = int(listed[truth].sum()), int((~listed[~truth]).sum())
                found[key].append((right, positives, left, len(truth) - positives))
        return found

    told: dict[str, list[Counts | None]] = kept_values.told(report, dataset, model, "transported", look)
    return told


def _threshold(report: Report, dataset: int, model: int, key: str) -> float | None:
    at = report.disease(dataset, model, key)["youden"]
    return None if at is None else float(at["threshold"])
