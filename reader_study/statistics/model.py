"""The model on one dataset of a study: ROC figures by disease, top-k, confusion."""

from collections.abc import Callable
from typing import Any

import numpy as np

from classifier.metrics import notes, roc
from classifier.metrics.calibration import calibration
from classifier.metrics.decision_curve import decision_curve
from classifier.metrics.delong import estimate
from classifier.metrics.groups import AS_BENIGN, AS_MALIGNANT, GroupSpecificity, tier_groups
from classifier.metrics.listing import is_listed
from classifier.metrics.operating import AtThreshold, Truth, at_threshold
from classifier.metrics.proportions import Proportion, proportion
from classifier.metrics.ranking import confusion, ranking
from classifier.metrics.subgroups import UNKNOWN, age_band, subgroup_aucs
from classifier.metrics.youden import youden, youden_optima
from reader_study.statistics.areas import among, area, by_patient
from reader_study.statistics.coded import Part
from reader_study.statistics.tables import Image, WholeSet
from skinclinic.vocabulary.diseases import BENIGN, DISEASE_KEYS, MALIGNANT

KS = (1, 2, 3, 5)
DIVISIONS: dict[str, Callable[[Image], str]] = {
    "age": lambda image: age_band(image.age, image.age_to),
    "sex": lambda image: image.sex or UNKNOWN,
    "skin_type": lambda image: str(image.skin_type or UNKNOWN),
}


def interval(share: Proportion) -> list[float] | None:
    """[low, high], None for a share of nothing."""
    return None if share.low is None or share.high is None else [share.low, share.high]


def divisions(part: Part) -> dict[str, list[str]]:
    """Labels of the images by each division in which something is known."""
    found = {name: [label(image) for image in part.images] for name, label in DIVISIONS.items()}
    return {name: labels for name, labels in found.items() if set(labels) != {UNKNOWN}}


def diseases(part: Part, ak: str, whole: WholeSet | None) -> dict[str, dict[str, Any]]:
    """What the model's scores tell of each disease against all others."""
    truth = Truth.of([image.truth for image in part.images], DISEASE_KEYS)
    return {
        key: _disease(part, truth, key, ak) | {"whole": _whole(whole, part.name, key, ak)}
        for key in DISEASE_KEYS
    }


def thresholds(found: dict[str, dict[str, Any]]) -> dict[str, float]:
    """The Youden threshold of each disease that has one, from ``diseases``."""
    return {key: float(one["youden"]["threshold"]) for key, one in found.items() if one["youden"]}


def overall(part: Part, limits: dict[str, float]) -> dict[str, Any]:
    """Top-k over all 12 diseases, and the model's answers to the readers' question.

    ``list_length``: how many diseases each image gets listed with at the Youden thresholds ``limits``.
    """
    argmax = part.argmax
    if part.scores is None or argmax is None:
        return {
            "top_k": dict.fromkeys(map(str, KS)), "balanced_top1": None, "confusion": None,
            "top_k_counts": None, "list_length": None, "argmax_accuracy": None, "note": notes.NO_SCORES,
        }  # fmt: skip
    truth = Truth.of([image.truth for image in part.images], DISEASE_KEYS)
    ranks = ranking(part.scores, truth, KS)
    right = proportion(int((argmax == part.truth).sum()), len(part.truth))
    return {
        "top_k": {str(top.k): top.right.value for top in ranks.top},
        "balanced_top1": ranks.top[0].class_balanced,
        "confusion": confusion(truth, argmax, DISEASE_KEYS),
        "top_k_counts": {
            str(top.k): {"right": top.right, "decided_by_order": top.decided_by_order} for top in ranks.top
        },
        "list_length": _list_length(part, limits),
        "argmax_accuracy": right,
        "note": "",
    }


def _list_length(part: Part, limits: dict[str, float]) -> dict[str, Any] | None:
    if not limits or part.scores is None:
        return None
    listed = np.zeros((len(part.images), len(DISEASE_KEYS)), bool)
    for key, limit in limits.items():
        place = DISEASE_KEYS.index(key)
        listed[:, place] = is_listed(part.scores[:, place], limit)
    lengths = listed.sum(1)
    right = listed[np.arange(len(listed)), part.truth]
    return {
        "diseases": len(limits),
        "mean": float(lengths.mean()),
        "empty": proportion((lengths == 0).sum(), len(lengths)),
        "truth_listed": proportion(right.sum(), len(right)),
    }


def _disease(part: Part, truth: Truth, key: str, ak: str) -> dict[str, Any]:
    positive = part.truth == DISEASE_KEYS.index(key)
    positives, negatives = int(positive.sum()), int((~positive).sum())
    found = {
        "n_pos": positives,
        "n_neg": negatives,
        "evaluable": False,
        "note": notes.missing_class(positives, negatives) if part.scores is not None else notes.NO_SCORES,
        **area(None),
        "youden": None,
        **_groups(None, truth, key, ak),
        "ak_alternative": None,
        "auc_by_patient": None,
        "among": None,
        "argmax": None,
        "calibration": None,
        "calibration_note": "",
        "decision_curve": None,
        "subgroups": {},
    }
    if part.scores is None:
        return found
    found["argmax"] = _argmax(part, key, positive)
    if found["note"]:
        return found
    scores = np.ascontiguousarray(part.scores[:, DISEASE_KEYS.index(key)])
    if scores.min() == scores.max():
        return found | {"evaluable": True, "auc": 0.5, "auc_note": notes.CONSTANT_SCORES}
    curve = roc.roc(scores, positive)
    optima = youden_optima(curve)
    chosen = at_threshold(scores, truth, key, youden(curve).threshold, policy=ak, optimistic=True)
    other = AS_MALIGNANT if ak == AS_BENIGN else AS_BENIGN
    alternative = next(group for group in chosen.other_policies if group.policy == other)
    is_share = scores.min() >= 0 and scores.max() <= 1
    return found | {
        "evaluable": True,
        **area(estimate(curve)),
        "youden": _youden(chosen, [optimum.threshold for optimum in optima]),
        "auc_by_patient": by_patient(scores, positive, part.patients),
        # Areas of the dotted curves.
        "among": among(scores, part.truth, key, ak),
        **_groups(chosen.groups, truth, key, ak),
        "ak_alternative": {
            "ak": other,
            "among": among(scores, part.truth, key, other),
            **_groups(alternative, truth, key, other),
        },
        "calibration": calibration(scores, positive) if is_share else None,
        "calibration_note": "" if is_share else notes.NO_PROBABILITIES,
        "decision_curve": decision_curve(scores, positive) if is_share else None,
        "subgroups": {
            name: subgroup_aucs(scores, positive, labels) for name, labels in divisions(part).items()
        },
    }


def _youden(found: AtThreshold, optima: list[float]) -> dict[str, Any]:
    return {
        "threshold": found.threshold,
        "sensitivity": found.sensitivity.value,
        "specificity": found.specificity.value,
        "n_optima": len(optima),
        "thresholds": optima,
        "sensitivity_ci": interval(found.sensitivity),
        "specificity_ci": interval(found.specificity),
        "true_positives": found.true_positives,
        "true_negatives": found.true_negatives,
        "optimistic": found.optimistic,
    }


def _groups(found: GroupSpecificity | None, truth: Truth, key: str, ak: str) -> dict[str, Any]:
    """Specificity among other malignant and other benign images, and how many these are."""
    figures: dict[str, Any] = {}
    for tier in (MALIGNANT, BENIGN):
        name = f"specificity_among_other_{tier}"
        share = getattr(found, name) if found else None
        count = sum(truth.photos[other] for other in tier_groups(ak)[tier] if other != key)
        figures |= {
            name: share and share.value,
            f"{name}_ci": share and interval(share),
            f"n_other_{tier}": count,
        }
    return figures


def _argmax(part: Part, key: str, positive: np.ndarray) -> dict[str, Any]:
    """The model's point when it gives one answer an image, as a reader does."""
    said = part.argmax == DISEASE_KEYS.index(key)
    hits = proportion((said & positive).sum(), positive.sum())
    rejected = proportion((~said & ~positive).sum(), (~positive).sum())
    return {
        "sensitivity": hits.value,
        "specificity": rejected.value,
        "sensitivity_ci": interval(hits),
        "specificity_ci": interval(rejected),
        "true_positives": hits.count,
        "true_negatives": rejected.count,
    }


def _whole(whole: WholeSet | None, dataset: str, key: str, ak: str) -> dict[str, Any] | None:
    """The same ROC on the whole test set of this dataset; None where there is none."""
    if whole is None:
        return None
    places = np.flatnonzero(np.asarray(whole.datasets) == dataset)
    if not len(places):
        return None
    names = [whole.truth[place] for place in places]
    truth = Truth.of(names, DISEASE_KEYS)
    positive = truth.codes == DISEASE_KEYS.index(key)
    positives, negatives = int(positive.sum()), int((~positive).sum())
    note = notes.missing_class(positives, negatives)
    found = {"n_pos": positives, "n_neg": negatives, "evaluable": not note, "note": note}
    if note:
        return found | area(None) | {"youden": None, "among": None} | _groups(None, truth, key, ak)
    scores = np.ascontiguousarray(np.asarray(whole.scores, float)[places, DISEASE_KEYS.index(key)])
    curve = roc.roc(scores, positive)
    optima = [optimum.threshold for optimum in youden_optima(curve)]
    chosen = at_threshold(scores, truth, key, youden(curve).threshold, policy=ak, optimistic=True)
    return (
        found
        | area(estimate(curve))
        | {"youden": _youden(chosen, optima), "among": among(scores, truth.codes, key, ak)}
        | _groups(chosen.groups, truth, key, ak)
    )
