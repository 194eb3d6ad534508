"""Everything the page shows, in one pass over the answers since the model is followed: counts and numbers, no rows."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np
from django.db.models import Count, F, Q
from django.utils import timezone

from classifier.metrics import agreement, malignancy, roc
from classifier.metrics.calibration import calibration
from classifier.metrics.counting import DERMOSCOPIC, OVERVIEW, UNFIT, malignant_sum, set_aside
from classifier.metrics.groups import AS_BENIGN, AS_MALIGNANT
from classifier.metrics.listing import is_listed
from classifier.metrics.plain import plain
from classifier.metrics.proportions import in_groups
from classifier.models import Assessment, Monitor
from classifier.services.following import counting, drift, promised
from classifier.services.following.cases import Case, Found, answers, first_of_each
from classifier.services.following.listed import Listed
from classifier.services.following.periods import Periods
from classifier.services.following.rules import LEAST_CASES, SENSITIVITY, SPECIFICITY, Rule
from classifier.services.following.used import Used
from skinclinic.models import Job, Lesion
from skinclinic.vocabulary.diseases import DISEASE_KEYS

_AT_ONCE = 2000


def compute(row: Monitor, found: Found, used: Used) -> dict[str, Any]:
    """The figures of a record with these proven cases, as JSON."""
    today = timezone.localdate()
    periods = Periods.between(timezone.localdate(row.followed_since), today)
    thresholds = row.threshold_set.values if row.threshold_set else {}
    rule = Rule.of_json(row.rule)
    photos = _photos(row, periods, thresholds, rule.policy)
    flagged, lesions = photos.pop("flagged"), photos.pop("lesions")
    return plain(
        {
            "periods": periods.names(),
            "photos": photos,
            "lesions": _lesions(found, lesions, flagged),
            "proven": _proven(found.cases, thresholds, rule.policy, periods) | _chosen_on(row, used),
            "promises": promised.of(used, row, periods),
            "amended": counting.amended(row, found.cases, used.of_promise(row.threshold_set).cases),
            "people": _people(row, periods),
        }
    )


def _photos(row: Monitor, periods: Periods, thresholds: dict[str, float], policy: str) -> dict[str, Any]:
    """States, length of the list, drift; keys of ``lesions`` with an answer that counts, ``flagged`` as malignant."""
    states = dict(answers(row).filter(scores__isnull=True).values_list("job__state").annotate(n=Count("pk")))
    limits = np.array([thresholds.get(key, np.inf) for key in DISEASE_KEYS])
    names = sorted({"scores", "quality", *drift.columns()})
    aside: Counter[str] = Counter()
    places: list[int] = []
    lengths: list[np.ndarray] = []
    whose: list[str] = []
    measured: dict[str, list[float]] = {measure.key: [] for measure in drift.MEASURES}
    lesions: set[int] = set()
    flagged: set[int] = set()
    zone = timezone.get_current_timezone()
    told = answers(row).filter(scores__isnull=False).order_by("requested_at", "pk")
    columns = ("requested_at", "photo__kind", "photo__lesion", "photo__lesion__patient", *names)
    rows = told.values_list(*columns).iterator(chunk_size=_AT_ONCE)
    for part in _parts(rows):
        kept = []
        for at, kind, lesion, patient, *values in part:
            one = dict(zip(names, values, strict=True))
            if why := set_aside(kind, one["quality"]):
                aside[why] += 1
                continue
            places.append(periods.place(timezone.localdate(at, zone)))
            whose.append(_unit(patient, lesion))
            kept.append((lesion, [one["scores"].get(key, 0.0) for key in DISEASE_KEYS]))
            for measure in drift.MEASURES:
                number = measure.of(*(one[name] for name in measure.columns))
                measured[measure.key].append(np.nan if number is None else number)
        if not kept:
            continue
        scores = np.array([one for _lesion, one in kept])
        lengths.append(is_listed(scores, limits).sum(1))
        says = malignancy.says_malignant(scores, limits, policy)
        lesions.update(lesion for lesion, _scores in kept)
        flagged.update(lesion for (lesion, _scores), yes in zip(kept, says.tolist(), strict=True) if yes)
    at = np.array(places, int)
    length = np.concatenate(lengths) if lengths else np.zeros(0, int)
    units = np.unique(whose, return_inverse=True)[1]
    return {
        "answered": len(at),
        "waiting": sum(states.get(state, 0) for state in (Job.State.QUEUED, Job.State.RUNNING)),
        "failed": states.get(Job.State.FAILED, 0),
        "aside": {name: aside[name] for name in (OVERVIEW, DERMOSCOPIC, UNFIT)},
        "list": [
            {"n": int(here.sum()), "sum": int(length[here].sum()), "empty": int((length[here] == 0).sum())}
            for here in (at == place for place in range(periods.count))
        ]
        if thresholds
        else [],
        "empty": _heeding(length == 0, whose) if thresholds else None,
        "drift": {
            name: drift.summary(np.array(values, float), at, periods.count, units)
            for name, values in measured.items()
        },
        "lesions": lesions,
        "flagged": flagged,
    }


def _unit(patient: int | None, lesion: int) -> str:
    """Whose a photo is; of a patient who is not known the lesion stands for it."""
    return f"lesion {lesion}" if patient is None else f"patient {patient}"


def _heeding(hits: np.ndarray, whose: list[str]) -> list[float | int | None]:
    """[hits, of, low, high], the interval heeding that what is of one patient is alike."""
    found = in_groups(hits, whose)
    return [found.count, found.of, found.low, found.high]


def _parts(rows: Iterable[tuple]) -> Iterable[list[tuple]]:
    part: list[tuple] = []
    for row in rows:
        part.append(row)
        if len(part) == _AT_ONCE:
            yield part
            part = []
    if part:
        yield part


def _lesions(found: Found, lesions: set[int], flagged: set[int]) -> dict[str, Any]:
    """Who is proven and who is not, and how that hangs on what the model listed."""
    proven: set[int] = set()
    awaited = 0
    keys = sorted(lesions)
    for start in range(0, len(keys), _AT_ONCE):
        part = Lesion.objects.filter(pk__in=keys[start : start + _AT_ONCE])
        proven.update(part.filter(is_proven=True).values_list("pk", flat=True))
        awaited += part.filter(Q(is_proven=False), biopsy_on__isnull=False).count()
    others = lesions - flagged
    return {
        "answered": len(lesions),
        "proven": len(proven),
        "awaited": awaited,
        "flagged": [len(flagged & proven), len(flagged)],
        "others": [len(others & proven), len(others)],
        "late": found.late,
        "treated": found.treated,
        "aside": found.set_aside,
        "other": found.other,
        "cases": len(found.cases),
        "other_precision": sum(not case.is_in_full for case in found.cases),
        "unknown": sum(case.patient is None for case in found.cases),
        "confirmed": dict(found.confirmed),
    }


def _proven(cases: list[Case], thresholds: dict[str, float], policy: str, periods: Periods) -> dict[str, Any]:
    if not thresholds:
        return {}
    listed = Listed(cases, thresholds)
    places = np.array([periods.place(timezone.localdate(case.at)) for case in cases], int)
    other = AS_MALIGNANT if policy == AS_BENIGN else AS_BENIGN
    units = listed.first_of_each(np.ones(len(cases), bool))
    return {
        "policies": {name: _shares(listed, name, places, periods.count) for name in (policy, other)},
        "diseases": [_disease(listed, place) for place in range(len(DISEASE_KEYS))],
        "calibration": _calibration(cases, policy),
        "covered": [int(listed.listed[units, listed.truth[units]].sum()), len(units)],
    }


def _chosen_on(row: Monitor, used: Used) -> dict[str, Any]:
    """Of the record's own thresholds, where they were chosen on a dataset of the clinic: how many of the proven lesions
    are of its patients or lesions."""
    chosen = row.threshold_set
    if chosen is None or "dataset_sha256" not in chosen.details:
        return {}
    is_known, held = used.by(chosen)
    return {"chosen_on": {"lesions": int(held.sum()), "is_known": is_known}}


def _shares(listed: Listed, policy: str, places: np.ndarray, count: int) -> dict[str, Any]:
    """By endpoint [right, patients], a patient once in each group; also by period of the pathology."""
    keys = [DISEASE_KEYS.index(key) for key in malignancy.malignant_keys(policy)]
    is_malignant = np.isin(listed.truth, keys)
    says = malignancy.says_malignant(listed.scores, listed.limits, policy)
    found = {}
    for name, group in ((SENSITIVITY, is_malignant), (SPECIFICITY, ~is_malignant)):
        units = listed.first_of_each(group)
        right = says[units] == (name == SENSITIVITY)
        of = np.bincount(places[units], minlength=count)
        hits = np.bincount(places[units], right, minlength=count).astype(int)
        found[name] = {
            "all": [int(right.sum()), len(units)],
            "periods": np.stack([hits, of], 1).tolist(),
            "lesions": int(group.sum()),
        }
    return found


def _disease(listed: Listed, place: int) -> dict[str, Any]:
    with_it = listed.first_of_each(listed.truth == place)
    without = listed.first_of_each(listed.truth != place)
    return {
        "key": DISEASE_KEYS[place],
        "sensitivity": [int(listed.listed[with_it, place].sum()), len(with_it)],
        "specificity": [int((~listed.listed[without, place]).sum()), len(without)],
    }


def _calibration(cases: list[Case], policy: str) -> dict[str, Any]:
    """Of the sum of malignant scores: {"n": [malignant, benign], "found": Calibration or None}."""
    units = first_of_each(cases)
    keys = malignancy.malignant_keys(policy)
    truth = np.array([case.truth in keys for case in units], bool)
    scores = np.clip([malignant_sum(case.scores) for case in units], 0.0, 1.0)
    counts = [int(truth.sum()), int((~truth).sum())]
    if min(counts) < LEAST_CASES:
        return {"n": counts, "found": None}
    try:
        return {"n": counts, "found": calibration(scores, truth)}
    except roc.NotEvaluable:
        return {"n": counts, "found": None}


def _people(row: Monitor, periods: Periods) -> dict[str, Any]:
    """How people's diagnoses stand to what the model listed when they were shown it: before and after."""
    rows = Assessment.objects.filter(
        clinic=row.clinic_id, analysis__model_version=row.model_version_id, analysis__job__isnull=False,
        analysis__requested_at__gte=row.followed_since, analysis__photo__lesion__is_archived=False,
    ).select_related("impression", "conclusion").annotate(
        lesion=F("analysis__photo__lesion"), patient=F("analysis__photo__lesion__patient")
    )  # fmt: skip
    zone = timezone.get_current_timezone()
    before, after = ([Counter[str]() for _ in range(periods.count)] for _ in range(2))
    said: dict[str, list[tuple[str, str]]] = {"before": [], "after": []}
    for one in rows.order_by("pk").iterator(chunk_size=_AT_ONCE):
        place = periods.place(timezone.localdate(one.created_at, zone))
        if one.impression_id or one.skipped_impression:
            before[place][one.impression_agreement] += 1
            said["before"].append((one.impression_agreement, _unit(one.patient, one.lesion)))
        if one.decision:
            after[place][one.agreement] += 1
            said["after"].append((one.agreement, _unit(one.patient, one.lesion)))
    told: dict[str, Any] = {
        name: [_standings(one) for one in found] for name, found in (("before", before), ("after", after))
    }
    return told | {"shares": {name: _agreeing(one) for name, one in said.items()}}


def _agreeing(said: list[tuple[str, str]]) -> dict[str, Any]:
    """The same over all periods, as ``_heeding``."""
    compared = [(_standings(Counter([how])), whose) for how, whose in said]
    compared = [(one, whose) for one, whose in compared if one["compared"]]
    patients = [whose for _one, whose in compared]
    return {
        name: _heeding(np.array([one[name] for one, _whose in compared], bool), patients)
        for name in ("agrees", "listed")
    }


def _standings(counted: Counter[str]) -> dict[str, int]:
    """``agrees`` of ``compared``: the first of the list; ``listed``: on the list at all, or none of the 12 and none
    listed; ``not_compared`` for want of a diagnosis, of a list, or of knowing which disease is meant."""
    agrees = sum(counted[name] for name in agreement.AGREES)
    compared = agrees + counted[agreement.LISTED] + sum(counted[name] for name in agreement.DISAGREES)
    return {
        "agrees": agrees,
        "listed": agrees + counted[agreement.LISTED],
        "compared": compared,
        "not_compared": sum(counted.values()) - compared,
    }
