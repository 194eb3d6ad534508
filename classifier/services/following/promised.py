"""What came of the promises of threshold sets that cover the truth, among the proven cases: of all together, by disease
and subgroup (those that the page of a set tells of), and over time."""

from typing import Any

import numpy as np
from django.utils import timezone

from classifier.metrics.proportions import proportion
from classifier.models import Monitor, ThresholdSet
from classifier.services.following.cases import DIVISIONS
from classifier.services.following.listed import Listed
from classifier.services.following.periods import Periods
from classifier.services.following.rules import LEAST_CASES
from classifier.services.following.used import OfPromise, Used
from classifier.services.models import coverage, realised
from skinclinic.vocabulary.diseases import DISEASE_KEYS


def of(used: Used, row: Monitor, periods: Periods) -> list[dict[str, Any]]:
    """Of each of the model's threshold sets that cover the truth, whoever is shown it: the share it promises, and
    ``covered``: of proven patients, each once, with a disease of which it promises something [listed, patients];
    the same by period of the pathology, and by division and group of ``DIVISIONS``. By disease a patient counts once
    for each. ``is_below``: as ``realised.is_below`` has it, of ten patients or more. Beside it what of ``OfPromise`` is
    none of these, in lesions."""
    sets = row.model_version.thresholds_for(row.clinic_id)
    return [_of_set(chosen, used.of_promise(chosen), periods) for chosen in sets if coverage.promised(chosen)]


def _of_set(chosen: ThresholdSet, found: OfPromise, periods: Periods) -> dict[str, Any]:
    cases = found.cases
    listed = Listed(cases, chosen.values)
    promised = [DISEASE_KEYS.index(key) for key in coverage.promised(chosen)]
    units = listed.first_of_each(np.ones(len(cases), bool))
    places = np.array([periods.place(timezone.localdate(cases[at].at)) for at in units], int)
    groups = []
    for division in DIVISIONS:
        labels = np.array([cases[at].groups[division] for at in units], np.str_)
        told = [_covered(chosen, listed, units[labels == label]) for label in np.unique(labels)]
        names = np.unique(labels).tolist()
        groups.append([division, [{"name": name} | one for name, one in zip(names, told, strict=True)]])
    diseases = []
    for place in sorted(promised):
        of_it = listed.first_of_each(listed.truth == place)
        if len(of_it):
            diseases.append({"key": DISEASE_KEYS[place]} | _covered(chosen, listed, of_it))
    return {
        "name": chosen.name,
        "share": chosen.details[coverage.RULE]["share"],
        "left_out": found.left_out,
        "other_precision": found.other_precision,
        "is_known": found.is_known,
        **_covered(chosen, listed, units),
        "periods": [_counts(listed, units[places == place]) for place in range(periods.count)],
        "diseases": diseases,
        "groups": groups,
    }


def _counts(listed: Listed, units: np.ndarray) -> list[int]:
    return [int(listed.listed[units, listed.truth[units]].sum()), len(units)]


def _covered(chosen: ThresholdSet, listed: Listed, units: np.ndarray) -> dict[str, Any]:
    counts = _counts(listed, units)
    by_disease = {
        DISEASE_KEYS[place]: proportion(*_counts(listed, units[listed.truth[units] == place]))
        for place in np.unique(listed.truth[units])
    }
    enough = counts[1] >= LEAST_CASES
    is_below = enough and realised.is_below(chosen, proportion(*counts), by_disease)
    return {"covered": counts, "is_below": is_below}
