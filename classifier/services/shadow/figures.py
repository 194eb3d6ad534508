"""Both models on the same photos: how alike their lists are, and who was right on what was proven since."""

from dataclasses import replace
from typing import Any

import numpy as np

from classifier.metrics import malignancy, roc
from classifier.metrics.calibration import calibration
from classifier.metrics.counting import carried, malignant_sum, set_aside
from classifier.metrics.familiarity import is_unlike
from classifier.metrics.groups import AS_BENIGN, AS_MALIGNANT
from classifier.metrics.listing import is_listed
from classifier.metrics.paired import Paired, mean_difference, paired
from classifier.metrics.plain import plain
from classifier.metrics.proportions import in_groups
from classifier.models import Monitor, Shadow
from classifier.runtimes import precisions
from classifier.services.following import cases
from classifier.services.following.rules import LEAST_CASES
from skinclinic.vocabulary.diseases import DISEASE_KEYS

_AT_ONCE = 2000


def compute(row: Shadow) -> dict[str, Any]:
    """The figures of a shadow, as JSON."""
    now, then = (one.usual_thresholds(row.clinic_id) for one in (row.in_use, row.model_version))
    limits = [_limits(one.values if one else {}) for one in (now, then)]
    pairs, answered, aside, other_precision = _pairs(row)
    return plain(
        {
            "thresholds": [now.name if now else "", then.name if then else ""],
            "answered": answered,
            "aside": aside,
            "pairs": len(pairs),
            "other_precision": len(other_precision & pairs.keys()),
            "unreadable": len(row.unreadable),
            "lists": _lists(pairs, limits),
            "proven": _proven(row, pairs, limits),
        }
    )


def _limits(values: dict[str, float]) -> np.ndarray:
    return np.array([values.get(key, np.inf) for key in DISEASE_KEYS])


# A photo's scores by the model in use and by the candidate, how unlike both say it is, and whose it is.
Pair = tuple[dict[str, float], dict[str, float], float | None, float | None, str]


def _pairs(row: Shadow) -> tuple[dict[int, Pair], int, int, set[int]]:
    """By photo, both answers to the same square; how many the model in use has answered, and whose answer does not
    count; which it has answered in another precision than full, as the candidate never does. Of several squares of a
    photo the latest counts."""
    from classifier.services.shadow.computing import answered, by_candidate

    told = answered(row).order_by("pk").values_list(
        "photo", "box_x", "box_y", "box_size", "photo__kind", "quality", "scores", "unlike", "photo__lesion",
        "photo__lesion__patient", "precision",
    )  # fmt: skip
    other_precision: set[int] = set()
    first: dict[int, tuple] = {}
    photos: set[int] = set()
    aside = 0
    for photo, x, y, size, kind, quality, scores, unlike, lesion, patient, precision in told.iterator(
        chunk_size=_AT_ONCE
    ):
        photos.add(photo)
        if set_aside(kind, quality):
            aside += photo not in first
            continue
        unit = f"patient {patient}" if patient is not None else f"lesion {lesion}"
        first[photo] = ((x, y, size), scores, unlike, unit)
        (other_precision.discard if precision in precisions.COUNTING else other_precision.add)(photo)
    found: dict[int, Pair] = {}
    keys = sorted(first)
    for start in range(0, len(keys), _AT_ONCE):
        rows = by_candidate(row).filter(photo__in=keys[start : start + _AT_ONCE])
        for photo, x, y, size, scores, unlike in rows.values_list(
            "photo", "box_x", "box_y", "box_size", "scores", "unlike"
        ):
            box, own, own_unlike, unit = first[photo]
            if box == (x, y, size):
                found[photo] = (own, scores, own_unlike, unlike, unit)
    return found, len(photos), aside, other_precision


def _lists(pairs: dict[int, Pair], limits: list[np.ndarray]) -> dict[str, Any]:
    """How alike the lists are; [alike, of, low, high], intervals heeding that photos of a patient are alike."""
    if not pairs:
        return {}
    units = [one[4] for one in pairs.values()]
    sides = ([one[0] for one in pairs.values()], [one[1] for one in pairs.values()])
    scores = [np.array([[one[key] for key in DISEASE_KEYS] for one in side]) for side in sides]
    listed = [is_listed(of, limit) for of, limit in zip(scores, limits, strict=True)]
    says = [malignancy.says_malignant(of, limit, AS_BENIGN) for of, limit in zip(scores, limits, strict=True)]
    same_first = scores[0].argmax(1) == scores[1].argmax(1)
    told = ([one[2] for one in pairs.values()], [one[3] for one in pairs.values()])
    unlike = [[value for value in side if value is not None] for side in told]
    return {
        "same": _alike((listed[0] == listed[1]).all(1), units),
        "first": _alike(same_first, units),
        "malignant": _alike(says[0] == says[1], units),
        "only": [int((says[0] & ~says[1]).sum()), int((~says[0] & says[1]).sum())],
        "length": [float(one.sum(1).mean()) for one in listed],
        "unlike": [[int(is_unlike(one).sum()), len(one)] for one in unlike],
    }


def _alike(same: np.ndarray, units: list[str]) -> list[float | int | None]:
    found = in_groups(same, units)
    return [found.count, found.of, found.low, found.high]


def _proven(row: Shadow, pairs: dict[int, Pair], limits: list[np.ndarray]) -> dict[str, Any]:
    """Both on the lesions proven since, one a patient in each group, each by its own answer that the lesion carried or
    would have carried."""
    since = Monitor(clinic=row.clinic, model_version=row.in_use, followed_since=row.started_at)
    told, then, lacking = [], [], 0
    for case in cases.find(since).cases:
        candidate = _carried(case, pairs)
        if candidate is None:
            lacking += 1
            continue
        told.append(case)
        then.append(candidate)
    truth = np.array([DISEASE_KEYS.index(one.truth) for one in told], int)
    carried_scores = ([dict(one.scores) for one in told], then)
    scores = [
        np.array([[one[key] for key in DISEASE_KEYS] for one in side]).reshape(-1, len(DISEASE_KEYS))
        for side in carried_scores
    ]
    found: dict[str, Any] = {"cases": len(told), "lacking": lacking, "policies": {}}
    for policy in (AS_BENIGN, AS_MALIGNANT):
        keys = [DISEASE_KEYS.index(key) for key in malignancy.malignant_keys(policy)]
        is_malignant = np.isin(truth, keys)
        says = [
            malignancy.says_malignant(of, limit, policy) for of, limit in zip(scores, limits, strict=True)
        ]
        found["policies"][policy] = {}
        for name, group in (("sensitivity", is_malignant), ("specificity", ~is_malignant)):
            units = _first_of_each(told, group)
            right = [one[units] == (name == "sensitivity") for one in says]
            found["policies"][policy][name] = _told(paired(*right))
    every = _first_of_each(told, np.ones(len(told), bool))
    listed = [
        is_listed(of, limit)[np.arange(len(told)), truth] for of, limit in zip(scores, limits, strict=True)
    ]
    found["listed"] = _told(paired(*(one[every] for one in listed)))
    found["calibration"] = _calibration(
        truth[every], [[side[place] for place in every] for side in carried_scores]
    )
    return found


def _first_of_each(told: list[cases.Case], among: np.ndarray) -> np.ndarray:
    """Places of one case a patient, the one told first."""
    first: dict[tuple[str, int], int] = {}
    for place in np.flatnonzero(among).tolist():
        first.setdefault(told[place].unit, place)
    return np.array(list(first.values()), int)


def _told(found: Paired) -> dict[str, Any]:
    """Below ``LEAST_CASES`` counts alone."""
    counts = {"both": found.both, "first": found.first, "second": found.second, "neither": found.neither}
    if found.n < LEAST_CASES:
        return counts | {"n": found.n}
    sides = {
        name: [of.count, of.of, of.low, of.high]
        for name, of in (("now", found.of_first), ("then", found.of_second))
    }
    return counts | sides | {
        "n": found.n, "difference": [found.difference, found.low, found.high], "p": found.p,
    }  # fmt: skip


def _carried(case: cases.Case, pairs: dict[int, Pair]) -> dict[str, float] | None:
    """What the lesion would have carried of the candidate's answers to the same photos: its own most suspicious one of
    the last visit. None while it has not computed all of them, or another square of one."""
    answers = []
    for one in case.told:
        pair = pairs.get(one.photo)
        if one.set_aside:
            continue
        if pair is None or pair[0] != one.scores:
            return None
        answers.append(replace(one, scores=pair[1], precision=precisions.F32))
    shown = carried(answers)
    return None if shown is None or shown.scores is None else dict(shown.scores)


def _calibration(truth_of: np.ndarray, scores: list[list[dict[str, float]]]) -> dict[str, Any]:
    """Of the sum of malignant scores, one lesion a patient: Brier scores, their paired difference, slope of both.

    ``truth_of`` [n]: places of diseases; ``scores``: those of the model in use [n] and of the candidate [n].
    """
    keys = [DISEASE_KEYS.index(key) for key in malignancy.malignant_keys(AS_BENIGN)]
    truth = np.isin(truth_of, keys)
    counts = [int(truth.sum()), int((~truth).sum())]
    if min(counts) < LEAST_CASES:
        return {"n": counts}
    sums = [np.clip([malignant_sum(one) for one in side], 0.0, 1.0) for side in scores]
    squares = [(one - truth) ** 2 for one in sums]
    try:
        fits = [calibration(one, truth) for one in sums]
    except roc.NotEvaluable:
        return {"n": counts}
    return {
        "n": counts,
        "brier": [one.brier for one in fits],
        "difference": mean_difference(squares[1] - squares[0]),
        "slope": [_fitted(one.slope) for one in fits],
        "in_the_large": [_fitted(one.in_the_large) for one in fits],
    }


def _fitted(one: Any) -> list[float] | None:
    return None if one is None else [one.value, one.low, one.high]
