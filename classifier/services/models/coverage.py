"""Threshold sets that promise to list the truth: what they are made from, and how that is kept.

What is kept under ``coverage`` in a set's details: ``share`` (the promise), ``unit`` (what it is about: patient, or
lesion or photo where patients are not known), ``unknown`` (units that are no known patient), ``left_out`` (photos that
may be used no more since the evaluation, ``Photos.gone``), ``least`` (units a disease needs), ``doubt`` (whether the
model may have learnt from the photos), ``synthetic`` (sources of drawings among them), and by disease ``units``,
``photos`` and, where something is promised, ``rank``, ``expected``, ``low`` and ``high`` (see metrics.conformal), else
``instead``: the name of the model's set whose threshold stands in; empty: it is always listed.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np

from classifier.metrics import conformal
from classifier.models import ThresholdSet
from classifier.services.evaluation import standing
from classifier.services.evaluation.kept import values as kept_values
from classifier.services.evaluation.kept.scores import Ordered
from classifier.services.evaluation.report import Report
from classifier.services.evaluation.units import LESION, PATIENT, PHOTO, Photos
from skinclinic.services.refused import Refused
from skinclinic.vocabulary.diseases import DISEASE_KEYS
from skinclinic.web.counts import gettext as _

RULE = "coverage"
# What the form offers first.
USUAL = 0.95


@dataclass(frozen=True)
class Calibrated:
    """The thresholds, what is kept of where they come from, and what is said of those that promise nothing."""

    values: dict[str, float]
    kept: dict
    basis: dict[str, str]


def calibrate(
    report: Report, dataset: int, model: int, found: Ordered, wanted: float, fallback: ThresholdSet | None
) -> Calibrated:
    """Thresholds that promise ``wanted`` (0.5 to less than 1) from the scores ``found`` of a dataset of the report.

    A disease of which there are too few units keeps the threshold of ``fallback``, without one it is always listed:
    never is it left out without a word. Raises Refused where nothing can be promised of any disease.
    """
    values: dict[str, float] = {}
    diseases: dict[str, dict] = {}
    basis: dict[str, str] = {}
    least = conformal.least_units(wanted)
    for key, of_it in found.diseases.items():
        promise = conformal.promise_of(of_it.lowest, wanted)
        diseases[key] = {"units": len(of_it.lowest), "photos": of_it.photos}
        if promise:
            values[key] = promise.threshold
            said = asdict(promise)
            diseases[key] |= {name: said[name] for name in ("rank", "expected", "low", "high")}
            continue
        values[key] = fallback.values[key] if fallback else conformal.ALWAYS_LISTED
        diseases[key]["instead"] = fallback.name if fallback else ""
        instead = f"from “{fallback.name}”" if fallback else "always listed"
        basis[key] = f"nothing promised: {len(of_it.lowest)} of the {least} needed; {instead}"
    if len(basis) == len(DISEASE_KEYS):
        raise Refused("wanted", _too_few(max(one["units"] for one in diseases.values()), least))
    said_of, known = report.dataset(dataset), found.units
    about = (dataset, said_of["title"]), (model, report.model(model)["name"])
    unit = next((kind for kind in (PATIENT, LESION) if known[kind]), PHOTO)
    kept = {
        "share": float(conformal.share(wanted)),
        "unit": unit,
        "unknown": sum(known.values()) - known[PATIENT],
        "left_out": found.gone,
        "least": least,
        "doubt": standing.of_pair(report.row, *about).is_in_doubt,
        "synthetic": [source["name"] for source in said_of["sources"] if source["synthetic"]],
        "diseases": diseases,
    }
    return Calibrated(values, kept, basis)


def promised(chosen: ThresholdSet) -> frozenset[str]:
    """The diseases of which the set promises something; none where it is of another kind."""
    kept = chosen.details.get(RULE) or {}
    return frozenset(key for key, one in kept.get("diseases", {}).items() if "rank" in one)


@dataclass(frozen=True)
class Needs:
    """Of how many units something can be promised; the diseases with ``enough`` of them, and with ``too_few``."""

    share: float
    least: int
    enough: tuple[tuple[str, int], ...]
    too_few: tuple[tuple[str, int], ...]


def needs(report: Report, dataset: int, model: int, photos: Callable[[], Photos]) -> Needs:
    """Of which diseases the usual share can be promised from the photos of a dataset of the report, which ``photos``
    reads. Raises NoReport."""

    def look() -> dict[str, int]:
        found = photos()
        return {key: len(np.unique(found.units[found.truth == key])) for key in DISEASE_KEYS}

    counts = kept_values.told(report, dataset, model, "units", look).items()
    least = conformal.least_units(USUAL)
    return Needs(
        USUAL,
        least,
        tuple((key, n) for key, n in counts if n >= least),
        tuple((key, n) for key, n in counts if n < least),
    )


def _too_few(most: int, least: int) -> str:
    return _(
        "Nothing can be promised: a disease needs %(least)d patients with it, and there are at most %(most)d here. "
        "Choose a lower share, or evaluate on more photos."
    ) % {"least": least, "most": most}
