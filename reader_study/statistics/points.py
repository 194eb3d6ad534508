"""Readers as points of sensitivity and specificity, and their averages."""

from typing import Any

import numpy as np

from classifier.metrics import notes, roc
from classifier.metrics.proportions import proportion
from reader_study import mrmc
from reader_study.statistics.coded import MISSING, Session
from reader_study.statistics.model import interval
from skinclinic.vocabulary.diseases import DISEASE_KEYS


def merits(session: Session, truth: np.ndarray, key: str) -> dict[str, mrmc.Merit | None]:
    """Sensitivity and specificity [J] for one disease; None where there is no positive or no negative.

    A missing answer is "not this disease".
    """
    place = DISEASE_KEYS.index(key)
    said, shown = session.codes == place, truth == place
    found: dict[str, mrmc.Merit | None] = {}
    for name, merit in (("sensitivity", mrmc.sensitivity), ("specificity", mrmc.specificity)):
        try:
            found[name] = merit(said, shown)
        except roc.NotEvaluable:
            found[name] = None
    return found


def points(session: Session, truth: np.ndarray, choices: tuple[str, ...]) -> list[dict[str, dict[str, Any]]]:
    """Of each reader the point of each disease that can be chosen.

    ``answered_only``: with missing answers left out instead of counted as wrong.
    """
    answered = session.codes != MISSING
    found: list[dict[str, dict[str, Any]]] = [{} for _reader in session.readers]
    for key in (key for key in DISEASE_KEYS if key in choices):
        place = DISEASE_KEYS.index(key)
        said, shown = session.codes == place, truth == place
        hits, rejected = (said & shown).sum(1), (~said & ~shown).sum(1)
        missing = {True: (~answered & shown).sum(1), False: (~answered & ~shown).sum(1)}
        positives, negatives = int(shown.sum()), int((~shown).sum())
        for reader, one in enumerate(found):
            sens, spec = proportion(hits[reader], positives), proportion(rejected[reader], negatives)
            one[key] = {
                "sensitivity": sens.value,
                "specificity": spec.value,
                "sensitivity_ci": interval(sens),
                "specificity_ci": interval(spec),
                "true_positives": sens.count,
                "positives": positives,
                "true_negatives": spec.count,
                "negatives": negatives,
                "note": notes.missing_class(positives, negatives),
                "answered_only": {
                    "sensitivity": proportion(hits[reader], positives - missing[True][reader]).value,
                    "specificity": proportion(
                        rejected[reader] - missing[False][reader], negatives - missing[False][reader]
                    ).value,
                },
            }
    return found


def average(
    session: Session, truth: np.ndarray, choices: tuple[str, ...], of_readers: list[dict[str, dict[str, Any]]]
) -> dict[str, dict[str, Any]]:
    """The unweighted mean over readers of both coordinates: SD (ddof=1) and 95 % interval for other readers and
    other images, clipped to [0, 1]. ``of_readers`` are their points."""
    found: dict[str, dict[str, Any]] = {}
    for key in (key for key in DISEASE_KEYS if key in choices):
        found[key] = {"readers": len(session.readers)}
        for name, merit in merits(session, truth, key).items():
            found[key] |= _mean(name, merit, len(session.readers))
            kept = [one[key]["answered_only"][name] for one in of_readers]
            kept = [value for value in kept if value is not None]
            found[key][f"{name}_answered_only"] = float(np.mean(kept)) if kept else None
    return found


_NO_CASE = {"sensitivity": notes.NO_POSITIVES, "specificity": notes.NO_NEGATIVES}


def _mean(name: str, merit: mrmc.Merit | None, readers: int) -> dict[str, Any]:
    if merit is None or not readers:
        nothing = dict.fromkeys((name, f"{name}_sd", f"{name}_ci"))
        return nothing | {f"{name}_note": _NO_CASE[name] if readers else notes.NO_ANSWERS}
    single = mrmc.single(merit)
    return {
        name: single.mean,
        f"{name}_sd": float(merit.value.std(ddof=1)) if readers > 1 else None,
        f"{name}_ci": clipped(single),
        f"{name}_note": single.note,
    }


def clipped(single: mrmc.Single) -> list[float] | None:
    """The interval of a share."""
    return (
        None if single.low is None or single.high is None else [max(single.low, 0.0), min(single.high, 1.0)]
    )
