"""What came of a set's promise on photos it was not made from: how many patients were covered, how long the list."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from classifier.metrics import conformal
from classifier.metrics.listing import is_listed
from classifier.metrics.proportions import Proportion, proportion
from classifier.metrics.subgroups import LEAST_POSITIVES
from classifier.models import Evaluation, ThresholdSet
from classifier.services.evaluation import looking, standing, units
from classifier.services.evaluation.chosen_on import Calibration, made_from
from classifier.services.evaluation.kept import values as kept_values
from classifier.services.evaluation.report import NoReport, NotYet, Report
from classifier.services.evaluation.units import Photos
from classifier.services.evaluation.words import division_name, group_name
from classifier.services.models import coverage
from skinclinic.models import Clinic
from skinclinic.vocabulary.diseases import DISEASE_KEYS

# Raise it when what is kept is of another form.
_FORM = 2


@dataclass(frozen=True)
class DiseaseCovered:
    """Of the units of a disease those of which it was listed on every photo; ``is_promised`` by the set. ``is_below``:
    the whole interval lies below the range in which nine in ten calibrations of as many units cover."""

    key: str
    is_promised: bool
    share: Proportion
    is_below: bool


@dataclass(frozen=True)
class GroupCovered:
    """The same for a subgroup and all promised diseases; None where there are fewer units than can be told of."""

    name: str
    units: int
    share: Proportion | None
    is_below: bool


@dataclass(frozen=True)
class Realised:
    """Of one dataset of an evaluation, without the photos ``left_out``: of patients (or lesions) of the calibration.

    ``whole`` counts units of promised diseases, a unit once for each of them. ``photos`` are those counted, also of
    other diseases; ``gone`` ones may be used no more (``Photos``). ``is_own``: these are the photos the set was
    made from, of which nothing is told. ``is_known``: false where nobody can tell which those were. ``unit``: what
    is counted.
    """

    evaluation: Evaluation
    dataset: dict
    model: int
    is_own: bool
    is_known: bool
    standing: standing.Standing
    photos: int = 0
    left_out: int = 0
    gone: int = 0
    unit: str = units.PATIENT
    unknown: int = 0
    mean_length: float | None = None
    empty: Proportion | None = None
    whole: Proportion | None = None
    is_below: bool = False
    diseases: tuple[DiseaseCovered, ...] = ()
    groups: tuple[tuple[str, tuple[GroupCovered, ...]], ...] = ()


@dataclass(frozen=True)
class Everywhere:
    """``waiting``: the evaluations that a job has yet to look through; of their datasets nothing is told."""

    found: list[Realised]
    waiting: list[Evaluation]


def everywhere(chosen: ThresholdSet, clinic: Clinic) -> Everywhere:
    """On each dataset version of the clinic that the set's model was evaluated on, by the newest evaluation."""
    rows = Evaluation.objects.filter(
        clinic=clinic, model_versions=chosen.model_version_id, state=Evaluation.State.DONE
    )
    found: dict[int, Realised | None] = {}
    waiting = []
    for row in rows.select_related("clinic")[: looking.MOST_EVALUATIONS]:
        try:
            report = Report(row)
            for dataset in report.datasets:
                if dataset["pk"] not in found:
                    found[dataset["pk"]] = _on_if_looked(chosen, report, dataset)
                    if found[dataset["pk"]] is None and row not in waiting:
                        waiting.append(row)
        except NoReport:
            continue
    return Everywhere([one for one in found.values() if one], waiting)


def _on_if_looked(chosen: ThresholdSet, report: Report, dataset: dict) -> Realised | None:
    try:
        return on(chosen, report, dataset)
    except NotYet:
        return None


def on(
    chosen: ThresholdSet, report: Report, dataset: dict, photos: Callable[[], Photos] | None = None
) -> Realised:
    """On one dataset of the report; ``photos`` reads its photos, where somebody else needs them, too. Raises
    NoReport, NotYet."""
    model = chosen.model_version_id
    about = {
        "evaluation": report.row, "dataset": dataset, "model": model,
        "is_own": dataset["sha256"] == chosen.details.get("dataset_sha256"),
        "standing": standing.of_pair(
            report.row, (dataset["pk"], dataset["title"]), (model, report.model(model)["name"])
        ),
    }  # fmt: skip
    version = made_from(chosen)
    if about["is_own"]:
        return Realised(**about, is_known=version is not None)

    def look() -> dict[str, Any]:
        report.look_through(chosen.details.get("n", 0))
        read = photos() if photos else units.read(report, dataset["pk"], model)
        return _figures(chosen, Calibration.of(chosen), read)

    key = (version.pk, version.revision) if version else (None, None)
    plain = kept_values.told(report, dataset["pk"], model, f"set-{chosen.pk}", look, *key, _FORM)
    return Realised(**about, **_with_names(plain))


def _figures(chosen: ThresholdSet, calibration: Calibration, photos: Photos) -> dict[str, Any]:
    """What came of it, as plain values without words of any language."""
    known = calibration.holds(photos)
    left = photos.only(~known)
    about = {
        "is_known": calibration.is_known,
        "left_out": int(known.sum()),
        "gone": left.gone,
        "photos": len(left),
    }
    return about | (_counted(chosen, left) if len(left) else {})


def _counted(chosen: ThresholdSet, photos: Photos) -> dict[str, Any]:
    limits = np.array([chosen.values[key] for key in DISEASE_KEYS])
    lengths = is_listed(photos.scores, limits).sum(1)
    promised = coverage.promised(chosen)
    by_disease = {key: share for key, share in _by_disease(chosen, photos).items() if share.of}
    rows = [
        DiseaseCovered(key, key in promised, share, key in promised and is_below(chosen, share, {key: share}))
        for key, share in by_disease.items()
    ]
    whole, whole_is_below = _together(chosen, photos)
    kinds = photos.units_by_kind(np.isin(photos.truth, DISEASE_KEYS))
    return {
        "unit": next((kind for kind in (units.PATIENT, units.LESION) if kinds[kind]), units.PHOTO),
        "unknown": sum(kinds.values()) - kinds[units.PATIENT],
        "mean_length": float(lengths.mean()),
        "empty": asdict(proportion(int((lengths == 0).sum()), len(lengths))),
        "whole": asdict(whole),
        "is_below": whole_is_below,
        "diseases": [asdict(row) for row in rows],
        "groups": [
            [division, [asdict(one) for one in _groups(chosen, photos, division)]]
            for division in photos.groups
        ],
    }


def _with_names(plain: dict[str, Any]) -> dict[str, Any]:
    """What ``_figures`` gives, in the reader's language."""
    found = dict(plain)
    for name in ("empty", "whole"):
        if name in found:
            found[name] = Proportion(**found[name])
    found["diseases"] = tuple(
        DiseaseCovered(**one | {"share": Proportion(**one["share"])}) for one in plain.get("diseases", ())
    )
    found["groups"] = tuple(
        (
            division_name(division),
            tuple(
                GroupCovered(
                    **one
                    | {
                        "name": group_name(division, one["name"]),
                        "share": one["share"] and Proportion(**one["share"]),
                    }
                )
                for one in groups
            ),
        )
        for division, groups in plain.get("groups", ())
    )
    return found


def _groups(chosen: ThresholdSet, photos: Photos, division: str) -> tuple[GroupCovered, ...]:
    labels = photos.groups[division]
    found = []
    for label in np.unique(labels):
        share, is_below = _together(chosen, photos, labels == label)
        enough = share.of >= LEAST_POSITIVES
        # ``name`` is the label's until ``_with_names``.
        found.append(GroupCovered(str(label), share.of, share if enough else None, enough and is_below))
    return tuple(found)


def _together(
    chosen: ThresholdSet, photos: Photos, among: np.ndarray | None = None
) -> tuple[Proportion, bool]:
    """Over the promised diseases, where ``among`` [n] is true; a unit counts once for each of its own. And whether that
    is below the promise."""
    promised = coverage.promised(chosen)
    shares = {key: share for key, share in _by_disease(chosen, photos, among).items() if key in promised}
    whole = proportion(sum(one.count for one in shares.values()), sum(one.of for one in shares.values()))
    return whole, is_below(chosen, whole, shares)


def _by_disease(
    chosen: ThresholdSet, photos: Photos, among: np.ndarray | None = None
) -> dict[str, Proportion]:
    found = {}
    for place, key in enumerate(DISEASE_KEYS):
        of_it = photos.truth == key if among is None else among & (photos.truth == key)
        scores = photos.scores[of_it, place]
        found[key] = conformal.covered(scores, photos.units[of_it], chosen.values[key])
    return found


def is_below(chosen: ThresholdSet, share: Proportion, of_diseases: Mapping[str, Proportion]) -> bool:
    """Whether the whole interval of ``share``, of promised diseases together, lies below the range of the promise: few
    units of a calibration may cover less than the share wanted, which is no failure of it."""
    said = chosen.details[coverage.RULE]
    if share.high is None or share.high >= said["share"]:
        return False
    kept = said["diseases"]
    made = [(kept[key]["rank"], kept[key]["units"], one.of) for key, one in of_diseases.items()]
    return share.high < conformal.low_together(made)
