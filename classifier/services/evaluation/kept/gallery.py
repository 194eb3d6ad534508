"""The photos of an evaluation in the orders of its gallery, kept beside its report, so that a page of it reads no more
than its own: a row for each photo of a dataset, with the scores of one model, in the order of the dataset.

``item`` and ``photo`` are keys, ``truth`` a place among ``labels``. A column for each order has places of photos, one
named ``<order>_of`` the same with the photos of each label together. It names nobody.
"""

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from classifier.services.evaluation.kept import arrays as kept_arrays
from classifier.services.evaluation.report import Report
from skinclinic.archive.models import DatasetItem
from skinclinic.vocabulary.diseases import DISEASE_KEYS

MISTAKES, CONFIDENT, PLAIN = "mistakes", "confident", "plain"
ORDERS = (MISTAKES, CONFIDENT, PLAIN)


@dataclass(frozen=True)
class Gallery:
    """``labels`` are those of the photos, ``starts`` where each begins among photos together by label, with the end;
    ``mistakes``: of how many photos the first choice is wrong."""

    rows: np.ndarray
    labels: list[str]
    starts: list[int]
    mistakes: int

    def places(self, order: str, truth: str = "") -> np.ndarray:
        """Places [n] of the photos (of a label) in one of the ORDERS, read as they are asked for."""
        if not truth:
            found: np.ndarray = self.rows[order]
            return found
        at = self.labels.index(truth) if truth in self.labels else None
        first, end = (0, 0) if at is None else self.starts[at : at + 2]
        of_label: np.ndarray = self.rows[f"{order}_of"][first:end]
        return of_label

    def truth(self, at: int) -> str:
        return self.labels[self.rows[at]["truth"]]

    def photo_of(self, item: int) -> int:
        """The photo's key; 0 where the item is none of these."""
        items = self.rows["item"]
        at = bisect_left(items, item)
        return int(self.rows[at]["photo"]) if at < len(items) and items[at] == item else 0


def of(report: Report, dataset: int, model: int) -> Gallery:
    """As it is kept; else from the scores. Raises NoReport; NotYet where the photos are more than a request looks
    through, and no job has yet."""

    def look() -> tuple[dict[str, Any], np.ndarray]:
        report.look_through(report.dataset(dataset)["photos"])
        return _look(report.scores(dataset, model))

    told, rows = kept_arrays.told(report, dataset, model, "gallery", look)
    return Gallery(rows, told["labels"], told["starts"], told["mistakes"])


def _look(kept: dict[str, np.ndarray]) -> tuple[dict[str, Any], np.ndarray]:
    labels, truth = np.unique(kept["truth"], return_inverse=True)
    lead = margins(kept)
    columns: dict[str, np.ndarray] = {
        "item": kept["items"], "photo": kept["photos"], "truth": truth.astype(np.int32),
        "scores": kept["scores"], "background": kept["background"],
    }  # fmt: skip
    for order in ORDERS:
        places = sorted_places(kept, order).astype(np.int32)
        columns[order] = places
        columns[f"{order}_of"] = places[np.argsort(truth[places], kind="stable")]
    rows = np.empty(len(truth), [(name, one.dtype, one.shape[1:]) for name, one in columns.items()])
    for name, one in columns.items():
        rows[name] = one
    starts = np.searchsorted(np.sort(truth), np.arange(len(labels) + 1)).tolist()
    return {"labels": labels.tolist(), "starts": starts, "mistakes": int(np.sum(lead > 0))}, rows


def margins(kept: dict[str, np.ndarray]) -> np.ndarray:
    """By how much the model's first choice leads over the truth [n]; 0 where it is right.

    The truth of a photo of none of the 12 has the score of "not among these 12".
    """
    scores, truth = kept["scores"], kept["truth"]
    own = kept["background"].copy()
    for place, key in enumerate(DISEASE_KEYS):
        own = np.where(truth == key, scores[:, place], own)
    return np.maximum(scores.max(1) - own, 0)


def sorted_places(kept: dict[str, np.ndarray], order: str) -> np.ndarray:
    """Places of the photos: largest margins first, highest scores first, or as in the dataset."""
    if order == PLAIN:
        return np.arange(len(kept["items"]))
    by = margins(kept) if order == MISTAKES else kept["scores"].max(1)
    return np.argsort(-by, kind="stable")


def names_of(items: Iterable[int]) -> dict[int, str]:
    """What the photos of these items are called, of those that are still in the archive."""
    rows = DatasetItem.objects.filter(pk__in=list(items), entry__isnull=False)
    return dict(rows.order_by().values_list("pk", "entry__external_id"))
