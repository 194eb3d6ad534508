"""One difference as the report holds it: the model minus readers, or a later session minus an earlier one."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from classifier.metrics import notes
from classifier.metrics.proportions import inside
from reader_study import mrmc
from reader_study.statistics import by_design, one_shot
from reader_study.statistics import patients as clusters
from reader_study.statistics.small_sample import SMALL_SAMPLE, Right, against_readers

BY_PATIENT, LEAST_PATIENTS = "by_patient", "least_patients"
Patients = np.ndarray | None


def no_model() -> dict[str, Any]:
    """Where the model and readers are not compared."""
    names = (
        "ai", "readers_mean", "difference", "ci", "t", "df", "p", "se", "ms_r", "cov2", "non_inferiority", "method",
        "pattern", BY_PATIENT, SMALL_SAMPLE, LEAST_PATIENTS,
    )  # fmt: skip
    return dict.fromkeys(names) | {"note": ""}


def model_minus_readers(
    model: mrmc.Merit,
    readers: mrmc.Merit,
    margin: float | None = None,
    patients: Patients = None,
    *,
    right: Right,
) -> dict[str, Any]:
    """Readers and cases are random. ``by_patient``: the same with the ``patients`` of the cases as the independent
    ones; None where each has one photo. ``small_sample``: what a verdict must hold in too."""
    found = mrmc.ai_against_readers(model, readers, margin=margin)
    among = np.asarray((right.cells & np.logical_or.reduce(right.classes)).any(0))
    return _model(found) | {
        LEAST_PATIENTS: clusters.fewest(patients, [(right.cells & one).any(0) for one in right.classes]),
        BY_PATIENT: _model_by_patient(model, readers, margin, patients, among),
        SMALL_SAMPLE: against_readers(model, readers, right, margin),
    }


def model_by_design(
    model: one_shot.Kernel, readers: one_shot.Kernel, margin: float | None = None
) -> dict[str, Any]:
    """The same where readers read different cases, by U-statistics; patients are not looked at."""
    found = by_design.ai_against_readers(model, readers, margin=margin)
    return _model(found) | {BY_PATIENT: None, SMALL_SAMPLE: None}


def _model(found: mrmc.AiAgainstReaders) -> dict[str, Any]:
    return {
        "ai": found.ai,
        "readers_mean": found.readers_mean,
        "difference": found.difference,
        "ci": inside(found.low, found.high),
        "t": found.t,
        "df": found.df,
        "p": found.p,
        "se": found.se,
        "ms_r": found.ms_r,
        "cov2": found.cov2,
        "non_inferiority": found.non_inferiority,
        "note": found.note,
    }


def _model_by_patient(
    model: mrmc.Merit, readers: mrmc.Merit, margin: float | None, patients: Patients, among: np.ndarray
) -> dict[str, Any] | None:
    if patients is None or (counts := clusters.counts(patients, among)) is None:
        return None
    each = [clusters.by_patient(one, patients, among) for one in (model, readers)]
    found = _model(mrmc.ai_against_readers(each[0], each[1], margin=margin))
    kept = {name: found[name] for name in ("ci", "t", "df", "p", "se", "non_inferiority", "note")}
    return counts | kept | {"design_effect": clusters.effect(readers - model, each[1] - each[0])}


def no_pair() -> dict[str, Any]:
    """Where two sessions are not compared."""
    names = (
        "a",
        "b",
        "difference",
        "ci",
        "f",
        "df1",
        "df2",
        "p",
        "frrc",
        "components",
        "method",
        "pattern",
        BY_PATIENT,
        LEAST_PATIENTS,
    )
    return dict.fromkeys(names) | {"n_readers_each": None, "independent": None, "note": ""}


def later_minus_earlier(
    both: mrmc.Merit, patients: Patients, classes: Sequence[np.ndarray]
) -> dict[str, Any]:
    """Of two sessions [2, J]; ``by_patient`` as above. ``classes`` [n]: the cases of each that were read."""
    first, second = (float(one) for one in both.value.mean(1))
    found: dict[str, Any] = {
        "a": first,
        "b": second,
        "difference": second - first,
        BY_PATIENT: None,
        LEAST_PATIENTS: clusters.fewest(patients, classes),
    }
    among = np.logical_or.reduce(classes)
    if both.deviations is None:
        return found | {"note": notes.ONE_IN_CLASS}
    found |= _pair(both)
    if patients is None or (counts := clusters.counts(patients, among)) is None:
        return found
    each = clusters.by_patient(both, patients, among)
    if each.deviations is None:
        return found
    kept = {
        name: value for name, value in _pair(each).items() if name in ("ci", "f", "df1", "df2", "p", "note")
    }
    effect = clusters.effect(both[1] - both[0], each[1] - each[0])
    return found | {BY_PATIENT: counts | kept | {"design_effect": effect}}


def _pair(both: mrmc.Merit) -> dict[str, Any]:
    # The later session first, for Obuchowski and Rockette's pairs are first - second.
    analysis = mrmc.compare(both[::-1])
    rrrc, frrc = analysis.pairs[0].rrrc, analysis.pairs[0].frrc
    return {
        "ci": inside(rrrc.low, rrrc.high),
        "f": rrrc.f,
        "df1": rrrc.df1,
        "df2": rrrc.df2,
        "p": rrrc.p,
        "frrc": {"z": frrc.z, "p": frrc.p, "ci": inside(frrc.low, frrc.high), "note": frrc.note},
        "components": analysis.components,
        "note": rrrc.note,
    }
