"""Every figure of one model on one dataset, in one call."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from classifier.metrics import bootstrap, notes, roc
from classifier.metrics.calibration import Calibration, calibration
from classifier.metrics.decision_curve import DecisionCurve, decision_curve
from classifier.metrics.delong import AucEstimate, auc_estimate, estimate
from classifier.metrics.groups import AS_BENIGN, tier_groups
from classifier.metrics.listing import is_listed
from classifier.metrics.operating import AtThreshold, Truth, at_threshold
from classifier.metrics.proportions import Proportion, proportion
from classifier.metrics.ranking import Confusion, Ranking, argmax_confusion, ranking
from classifier.metrics.subgroups import SubgroupAuc, subgroup_aucs
from classifier.metrics.youden import youden, youden_optima
from skinclinic.vocabulary.diseases import BENIGN, BY_KEY, DISEASE_KEYS, MALIGNANT


@dataclass(frozen=True)
class GivenThresholds:
    """Thresholds by disease key, with a name. ``optimistic``: they were chosen on the photos evaluated."""

    name: str
    values: Mapping[str, float]
    optimistic: bool = False


@dataclass(frozen=True)
class Wishes:
    """What an evaluation computes beyond AUCs and Youden optima.

    ``sensitivities`` and ``specificities`` to reach; ``least_specificity`` of the partial AUC; ``prevalence``
    by disease for the decision curves; ``repeats`` of the bootstrap (0: none) and its ``seed``.
    """

    policy: str = AS_BENIGN
    sensitivities: tuple[float, ...] = (0.9, 0.95)
    specificities: tuple[float, ...] = (0.9, 0.95)
    least_specificity: float = 0.8
    ks: tuple[int, ...] = (1, 2, 3, 5)
    prevalence: Mapping[str, float] = field(default_factory=dict)
    repeats: int = 0
    seed: int = 0


@dataclass(frozen=True)
class DiseaseResult:
    """One disease against all other photos.

    With ``note`` (no positives, no negatives) all that needs a ROC curve is None or empty; ``given`` still
    counts. ``auc_among``: by tier, against its other diseases alone. ``youden_thresholds`` are all optima, ``youden``
    the chosen one. ``at_sensitivity`` and ``at_specificity`` are keyed by the wanted share ("0.95"), ``given`` by the
    name of the thresholds.
    """

    key: str
    tier: str
    positives: int
    negatives: int
    note: str
    auc: AucEstimate | None
    auc_among: dict[str, AucEstimate | None]
    partial_auc: roc.PartialAuc | None
    youden: AtThreshold | None
    youden_thresholds: tuple[float, ...]
    at_sensitivity: dict[str, AtThreshold]
    at_specificity: dict[str, AtThreshold]
    given: dict[str, AtThreshold]
    calibration: Calibration | None
    decision_curve: DecisionCurve | None
    bootstrap_by_photo: bootstrap.BootstrapInterval | None
    bootstrap_by_patient: bootstrap.BootstrapInterval | None
    subgroups: dict[str, tuple[SubgroupAuc, ...]]


@dataclass(frozen=True)
class Averages:
    """Unweighted means over the ``diseases`` that are evaluable; ``left_out`` are not."""

    diseases: int
    left_out: tuple[str, ...]
    auc: float | None
    sensitivity: float | None
    specificity: float | None


@dataclass(frozen=True)
class Listing:
    """The differentials that given thresholds make: their mean length, how many are empty, and how many of
    the photos of a disease have it listed."""

    mean_length: float
    empty: Proportion
    truth_listed: Proportion


@dataclass(frozen=True)
class Evaluation:
    """All figures of one model on one dataset. ``photos_of`` counts photos by what they show."""

    keys: tuple[str, ...]
    photos: int
    photos_of: dict[str, int]
    policy: str
    groups: dict[str, tuple[str, ...]]
    diseases: tuple[DiseaseResult, ...]
    averages: Averages
    ranking: Ranking
    confusion: Confusion
    listings: dict[str, Listing]

    def disease(self, key: str) -> DiseaseResult:
        """The result of one disease."""
        return self.diseases[self.keys.index(key)]


def evaluate(
    scores: ArrayLike,
    truth: Sequence[str],
    *,
    keys: tuple[str, ...] = DISEASE_KEYS,
    thresholds: Sequence[GivenThresholds] = (),
    patients: Sequence[Any] | None = None,
    subgroups: Mapping[str, Sequence[str | None]] | None = None,
    wishes: Wishes = Wishes(),
) -> Evaluation:
    """Evaluate ``scores`` [n, len(keys)] against ``truth`` [n] of disease keys or names of anything else.

    ``patients`` [n] allows the bootstrap by patient, ``subgroups`` has labels [n] by the name of a division
    ("sex"). ValueError for what does not fit together or is not finite.
    """
    scores = np.asarray(scores, float)
    if scores.ndim != 2 or scores.shape != (len(truth), len(keys)):
        raise ValueError(
            f"scores {scores.shape} must have a row for each of {len(truth)} photos and {len(keys)} columns"
        )
    if not len(scores):
        raise ValueError("there is no photo to evaluate")
    if not np.isfinite(scores).all():
        raise ValueError("scores must be finite")
    for name, labels in {"patients": patients, **(subgroups or {})}.items():
        if labels is not None and len(labels) != len(scores):
            raise ValueError(f"{name}: {len(labels)} labels for {len(scores)} photos")
    for given in thresholds:
        if missing := [key for key in keys if key not in given.values]:
            raise ValueError(f"thresholds {given.name!r} lack {', '.join(missing)}")
    shown = Truth.of(truth, keys)
    columns = [np.ascontiguousarray(column) for column in scores.T]
    results = tuple(
        _disease(key, column, shown, thresholds, patients, subgroups or {}, wishes)
        for key, column in zip(keys, columns, strict=True)
    )
    return Evaluation(
        keys=keys,
        photos=len(scores),
        photos_of=shown.photos,
        policy=wishes.policy,
        groups=tier_groups(wishes.policy),
        diseases=results,
        averages=_averages(results),
        ranking=ranking(scores, shown, sorted({1, *wishes.ks})),
        confusion=argmax_confusion(scores, shown),
        listings={given.name: _listing(scores, shown, keys, given) for given in thresholds},
    )


def _disease(
    key: str,
    scores: np.ndarray,
    shown: Truth,
    thresholds: Sequence[GivenThresholds],
    patients: Sequence[Any] | None,
    subgroups: Mapping[str, Sequence[str | None]],
    wishes: Wishes,
) -> DiseaseResult:
    truth = shown.codes == shown.names.index(key)
    positives = shown.photos[key]
    negatives = len(scores) - positives
    note = notes.missing_class(positives, negatives)
    curve = None if note else roc.roc(scores, truth)

    def at(threshold: float, optimistic: bool = True) -> AtThreshold:
        return at_threshold(scores, shown, key, threshold, policy=wishes.policy, optimistic=optimistic)

    return DiseaseResult(
        key=key,
        tier=BY_KEY[key].tier,
        positives=positives,
        negatives=negatives,
        note=note,
        auc=estimate(curve) if curve else None,
        auc_among={tier: _auc_among(key, scores, shown, tier, wishes.policy) for tier in (MALIGNANT, BENIGN)},
        partial_auc=roc.partial_auc(curve, wishes.least_specificity) if curve else None,
        youden=at(youden(curve).threshold) if curve else None,
        youden_thresholds=tuple(point.threshold for point in youden_optima(curve)) if curve else (),
        at_sensitivity={
            str(wanted): at(roc.most_specific(curve, least_sensitivity=wanted).threshold)
            for wanted in wishes.sensitivities
        }
        if curve
        else {},
        at_specificity={
            str(wanted): at(roc.most_sensitive(curve, least_specificity=wanted).threshold)
            for wanted in wishes.specificities
        }
        if curve
        else {},
        given={given.name: at(given.values[key], given.optimistic) for given in thresholds},
        calibration=calibration(scores, truth) if curve else None,
        decision_curve=decision_curve(scores, truth, prevalence=wishes.prevalence.get(key))
        if curve
        else None,
        bootstrap_by_photo=bootstrap.by_photo(scores, truth, repeats=wishes.repeats, seed=wishes.seed)
        if curve and wishes.repeats
        else None,
        bootstrap_by_patient=bootstrap.by_patient(
            scores, truth, patients, repeats=wishes.repeats, seed=wishes.seed
        )
        if curve and wishes.repeats and patients is not None
        else None,
        subgroups={name: subgroup_aucs(scores, truth, labels) for name, labels in subgroups.items()},
    )


def _auc_among(key: str, scores: np.ndarray, shown: Truth, tier: str, policy: str) -> AucEstimate | None:
    """Of a disease against the other diseases of one tier alone."""
    truth = shown.codes == shown.names.index(key)
    others = [
        shown.names.index(other)
        for other in tier_groups(policy)[tier]
        if other != key and other in shown.names
    ]
    chosen = truth | np.isin(shown.codes, others)
    if truth[chosen].all() or not truth.any():
        return None
    return auc_estimate(scores[chosen], truth[chosen])


def _averages(results: Sequence[DiseaseResult]) -> Averages:
    evaluable = [result for result in results if not result.note]
    youden = [result.youden for result in evaluable if result.youden]

    def mean(values: Iterable[float | None]) -> float | None:
        known = [value for value in values if value is not None]
        return float(np.mean(known)) if known else None

    return Averages(
        len(evaluable),
        tuple(result.key for result in results if result.note),
        mean([result.auc.auc for result in evaluable if result.auc]),
        mean([point.sensitivity.value for point in youden]),
        mean([point.specificity.value for point in youden]),
    )


def _listing(scores: np.ndarray, shown: Truth, keys: tuple[str, ...], given: GivenThresholds) -> Listing:
    listed = is_listed(scores, np.array([given.values[key] for key in keys]))
    lengths = listed.sum(1)
    known = shown.codes < len(keys)
    right = listed[known, shown.codes[known]]
    return Listing(
        float(lengths.mean()),
        proportion((lengths == 0).sum(), len(lengths)),
        proportion(right.sum(), len(right)),
    )
