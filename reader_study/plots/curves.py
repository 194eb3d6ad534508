"""What the figures of a study need beyond its report: curves, and readers among malignant and benign photos alone.

Pure. ``plain(curves(...))`` can be kept as JSON.
"""

import numpy as np

from classifier.metrics import roc
from classifier.metrics.curves import ThresholdCurve, threshold_curve
from classifier.metrics.groups import AS_BENIGN, tier_groups
from classifier.metrics.operating import Truth
from classifier.metrics.youden import youden
from reader_study import mrmc
from reader_study.statistics.coded import Part, Session, parts
from reader_study.statistics.points import clipped
from reader_study.statistics.tables import StudyTables, WholeSet
from skinclinic.vocabulary.diseases import BENIGN, DISEASE_KEYS, MALIGNANT

SAMPLE_POINTS, WHOLE_POINTS = 400, 200
TIERS = (MALIGNANT, BENIGN)


def curves(tables: StudyTables, ak: str = AS_BENIGN) -> dict:
    """By dataset: ``diseases`` {key: {sample, whole}} with a curve each or None; ``among`` {session: {tier: {key:
    the readers' specificity among the other photos of that tier}}}; ``argmax`` {tier: {key: rejected}} of the model.
    """
    return {part.name: _dataset(part, tables.whole, ak) for part in parts(tables)}


def _dataset(part: Part, whole: WholeSet | None, ak: str) -> dict:
    truth = Truth.of([image.truth for image in part.images], DISEASE_KEYS)
    others = {tier: {key: _others(part, key, tier, ak) for key in DISEASE_KEYS} for tier in TIERS}
    return {
        "diseases": {
            key: {"sample": _sample(part, truth, key, ak), "whole": _whole(whole, part.name, key, ak)}
            for key in DISEASE_KEYS
        },
        "among": {
            session.name: {
                tier: {
                    key: _among(part, session.who_read(), key, others[tier][key])
                    for key in DISEASE_KEYS
                    if key in part.choices
                }
                for tier in TIERS
            }
            for session in part.sessions
        },
        "argmax": {
            tier: {key: _argmax_rejected(part, key, others[tier][key]) for key in DISEASE_KEYS}
            for tier in TIERS
        },
    }


def _others(part: Part, key: str, tier: str, ak: str) -> np.ndarray:
    """Which images show another disease of a tier [n]."""
    places = [DISEASE_KEYS.index(other) for other in tier_groups(ak)[tier] if other != key]
    return np.isin(part.truth, places)


def _sample(part: Part, truth: Truth, key: str, ak: str) -> ThresholdCurve | None:
    if part.scores is None:
        return None
    return _curve(part.scores[:, DISEASE_KEYS.index(key)], truth, key, ak, SAMPLE_POINTS)


def _whole(whole: WholeSet | None, dataset: str, key: str, ak: str) -> ThresholdCurve | None:
    if whole is None:
        return None
    places = np.flatnonzero(np.asarray(whole.datasets) == dataset)
    if not len(places):
        return None
    truth = Truth.of([whole.truth[place] for place in places], DISEASE_KEYS)
    scores = np.asarray(whole.scores, float)[places, DISEASE_KEYS.index(key)]
    return _curve(scores, truth, key, ak, WHOLE_POINTS)


def _curve(scores: np.ndarray, truth: Truth, key: str, ak: str, points: int) -> ThresholdCurve | None:
    positive = truth.codes == truth.names.index(key)
    if positive.all() or not positive.any():
        return None
    scores = np.ascontiguousarray(scores)
    keep = [youden(roc.roc(scores, positive)).threshold]
    return threshold_curve(scores, truth, key, policy=ak, points=points, keep=keep)


def _argmax_rejected(part: Part, key: str, others: np.ndarray) -> int | None:
    if (argmax := part.argmax) is None:
        return None
    return int((argmax[others] != DISEASE_KEYS.index(key)).sum())


def _among(part: Part, who: Session, key: str, others: np.ndarray) -> dict:
    """Readers who reject ``others``. Averages are those of a study that held the positives and these photos alone."""
    place = DISEASE_KEYS.index(key)
    said = who.codes == place
    kept = others | (part.truth == place)
    groups = np.array(who.groups)
    return {
        "n": int(others.sum()),
        # Of each reader those that the reader was given.
        "given": dict(zip(who.readers, who.given[:, others].sum(1).tolist(), strict=True)),
        "rejected": dict(zip(who.readers, (~said & who.given)[:, others].sum(1).tolist(), strict=True)),
        "average": _average(said[:, kept], part.truth[kept] == place, who.given[:, kept]),
        "groups": {
            name: _average(
                said[groups == name][:, kept], part.truth[kept] == place, who.given[groups == name][:, kept]
            )
            for name in dict.fromkeys(who.groups)
        },
    }


def _average(said: np.ndarray, shown: np.ndarray, given: np.ndarray) -> dict:
    nothing = {"specificity": None, "specificity_sd": None, "specificity_ci": None}
    able = (given & ~shown).any(1)
    if not able.any():
        return nothing
    merit = mrmc.specificity(said[able], shown, given[able])
    single = mrmc.single(merit)
    return {
        "specificity": single.mean,
        "specificity_sd": float(merit.value.std(ddof=1)) if able.sum() > 1 else None,
        "specificity_ci": clipped(single),
    }
