"""Readers as points of sensitivity and specificity, and their averages."""

from typing import Any

import numpy as np

from classifier.metrics import notes
from classifier.metrics.proportions import proportion
from reader_study import mrmc
from reader_study.statistics.coded import AS_READ, MISSING_IS_WRONG, Session
from reader_study.statistics.model import interval
from skinclinic.vocabulary.diseases import DISEASE_KEYS

LEAST_CASES = 10
# Of a share of all images, whatever they show: as many as two classes have.
LEAST_IMAGES = 2 * LEAST_CASES


def merits(
    session: Session, truth: np.ndarray, key: str, rule: str = MISSING_IS_WRONG
) -> dict[str, mrmc.Merit | None]:
    """Sensitivity and specificity for one disease, of the readers who were given a case of the class each: [J] or
    fewer. None where nobody was.

    A missing answer is "not this disease", or with the rule AS_READ no answer at all.
    """
    place = DISEASE_KEYS.index(key)
    said, shown, cells = session.codes == place, truth == place, session.cells(rule)
    found: dict[str, mrmc.Merit | None] = {}
    for name, merit, among in (
        ("sensitivity", mrmc.sensitivity, shown),
        ("specificity", mrmc.specificity, ~shown),
    ):
        able = (cells & among).any(1)
        found[name] = merit(said[able], shown, cells[able]) if able.any() else None
    return found


def points(session: Session, truth: np.ndarray, choices: tuple[str, ...]) -> list[dict[str, dict[str, Any]]]:
    """Of each reader the point of each disease that can be chosen, with the cases of the class that the reader was
    given. ``answered_only``: with missing answers left out instead of counted as wrong, and their own counts.
    """
    found: list[dict[str, dict[str, Any]]] = [{} for _reader in session.readers]
    for key in (key for key in DISEASE_KEYS if key in choices):
        place = DISEASE_KEYS.index(key)
        said, shown = session.codes == place, truth == place
        counts = {
            rule: _class_counts(said, shown, session.cells(rule)) for rule in (MISSING_IS_WRONG, AS_READ)
        }
        for reader, one in enumerate(found):
            hits, positives, rejected, negatives = counts[MISSING_IS_WRONG][reader]
            sens, spec = proportion(hits, positives), proportion(rejected, negatives)
            hits, read_positives, rejected, read_negatives = counts[AS_READ][reader]
            read_sens, read_spec = proportion(hits, read_positives), proportion(rejected, read_negatives)
            one[key] = {
                "sensitivity": sens.value,
                "specificity": spec.value,
                "sensitivity_ci": interval(sens),
                "specificity_ci": interval(spec),
                "true_positives": sens.count,
                "positives": positives,
                "true_negatives": spec.count,
                "negatives": negatives,
                "too_few": too_few(positives, negatives),
                "note": notes.missing_class(positives, negatives),
                "answered_only": {
                    "sensitivity": read_sens.value,
                    "specificity": read_spec.value,
                    "true_positives": read_sens.count,
                    "positives": read_positives,
                    "true_negatives": read_spec.count,
                    "negatives": read_negatives,
                },
            }
    return found


def _class_counts(said: np.ndarray, shown: np.ndarray, cells: np.ndarray) -> list[list[int]]:
    """Of each reader: hits, positives, rejected, negatives, each among the reader's own cases."""
    kinds = (said & shown & cells, shown & cells, ~said & ~shown & cells, ~shown & cells)
    counts: list[list[int]] = np.stack([kind.sum(1) for kind in kinds], 1).tolist()
    return counts


def too_few(*cases: int, least: int = LEAST_CASES) -> bool:
    """Whether a class has too few cases for a test to keep its level. One that has none has no test."""
    return any(0 < count < least for count in cases)


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
        for name, merit in merits(session, truth, key, AS_READ).items():
            found[key][f"{name}_answered_only_ci"] = None if merit is None else clipped(mrmc.single(merit))
        shown = session.given & (truth == DISEASE_KEYS.index(key))
        others = session.given & (truth != DISEASE_KEYS.index(key))
        found[key] |= {"positives": int(shown.any(0).sum()), "negatives": int(others.any(0).sum())}
        found[key]["too_few"] = too_few(found[key]["positives"], found[key]["negatives"])
    return found


_NO_CASE = {"sensitivity": notes.NO_POSITIVES, "specificity": notes.NO_NEGATIVES}


def _mean(name: str, merit: mrmc.Merit | None, readers: int) -> dict[str, Any]:
    if merit is None or not readers:
        nothing = dict.fromkeys((name, f"{name}_sd", f"{name}_ci"))
        return nothing | {f"{name}_note": _NO_CASE[name] if readers else notes.NO_ANSWERS}
    single = mrmc.single(merit)
    return {
        name: single.mean,
        f"{name}_sd": float(merit.value.std(ddof=1)) if merit.value.size > 1 else None,
        f"{name}_ci": clipped(single),
        f"{name}_note": single.note,
    }


def clipped(single: mrmc.Single) -> list[float] | None:
    """The interval of a share."""
    return (
        None if single.low is None or single.high is None else [max(single.low, 0.0), min(single.high, 1.0)]
    )
