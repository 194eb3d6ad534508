"""What an alarm is held against: stated before the first case is counted, and where it comes from."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

import numpy as np
from django.utils.translation import gettext as _

from classifier.metrics import malignancy, sequential
from classifier.metrics.groups import AS_BENIGN
from classifier.metrics.proportions import Proportion, proportion
from classifier.models import Evaluation, ModelVersion, ThresholdSet
from classifier.services.evaluation import chosen_on, standing, units
from classifier.services.evaluation.kept import values as kept_values
from classifier.services.evaluation.report import NoReport, Report
from classifier.services.models import coverage
from skinclinic.models import Clinic
from skinclinic.services.refused import Refused
from skinclinic.vocabulary.diseases import DISEASE_KEYS, MALIGNANT_KEYS

SENSITIVITY, SPECIFICITY, COVERAGE = "sensitivity", "specificity", "coverage"
OF_CASES = (SENSITIVITY, SPECIFICITY, COVERAGE)
# The share of photos that are like the training photos, and of those that were not warned about.
LIKENESS, QUALITY = "likeness", "quality"
OF_PHOTOS = (LIKENESS, QUALITY)
ENDPOINTS = (*OF_CASES, *OF_PHOTOS)
# How often a record may ever raise a false alarm, all endpoints together.
ALPHAS, USUAL_ALPHA = (0.01, 0.05, 0.1), 0.05
# So many cases at least before anything is concluded.
LEAST_CASES = 10
EVALUATION, STATED, PROMISE, MODEL, FIRST = "evaluation", "stated", "promise", "model", "first"
# So many patients at the beginning of a record say how photos are.
FIRST_PATIENTS = 200
_MOST_EVALUATIONS = 20


@dataclass(frozen=True)
class Reference:
    """The ``share`` that an endpoint is held against. ``source``: EVALUATION (the lower limit of Wilson's interval of
    ``count`` of ``of`` patients, in ``said``), STATED by a person, PROMISE (``by_disease``: the lower end of what
    the thresholds that cover the truth promise; ``share`` is the least of them), MODEL (what the model says of photos
    unlike its training photos: of ``of`` photos ``count`` are like them), or FIRST: what the first ``of`` patients of
    the record say, so that ``share`` is None (see ``first.First``)."""

    share: float | None
    source: str
    said: str = ""
    count: int = 0
    of: int = 0
    evaluation: int | None = None
    by_disease: Mapping[str, float] = field(default_factory=dict)

    def of_truth(self, key: str) -> float | None:
        """What a case of this disease is held against; None: nothing is promised of it."""
        return self.by_disease.get(key) if self.by_disease else self.share


@dataclass(frozen=True)
class Rule:
    """``alpha``: how often such a record ever raises a false alarm, at most. ``policy``: where actinic keratosis goes.
    ``references`` by endpoint; one that is missing raises no alarm."""

    alpha: float = USUAL_ALPHA
    policy: str = AS_BENIGN
    references: Mapping[str, Reference] = field(default_factory=dict)

    def limit_of(self, endpoint: str) -> float:
        """The evidence at which an endpoint raises its alarm: the endpoints share ``alpha``, and one that is held
        against the first patients has half of its part for the chance that these were better than usual."""
        return (2 if self.first_risk(endpoint) else 1) * len(self.references) / self.alpha

    def first_risk(self, endpoint: str) -> float:
        """How likely what the first patients say may be more than what is usual, at most; 0 where they say nothing."""
        is_first = self.references[endpoint].source == FIRST
        return self.alpha / len(self.references) / 2 if is_first else 0.0

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"least_cases": LEAST_CASES, "factors": list(map(float, sequential.FACTORS))}

    @classmethod
    def of_json(cls, kept: Mapping[str, Any]) -> Self:
        # PostgreSQL keeps no order of names.
        there = [name for name in ENDPOINTS if name in kept["references"]]
        references = {name: Reference(**kept["references"][name]) for name in there}
        return cls(kept["alpha"], kept["policy"], references)


def usual(version: ModelVersion, clinic: Clinic, chosen: ThresholdSet | None) -> Rule:
    """The rule where nobody has stated one: held against the newest evaluation in this clinic, and the promise; photos
    against what the model says and against the first. May look through all photos of the evaluation, for which no
    request waits."""
    found = from_evaluation(version, clinic, chosen, at_work=True) if chosen else {}
    if chosen and (promised := from_promise(chosen)):
        found[COVERAGE] = promised
    return Rule(references=found | of_photos(version))


def of_photos(version: ModelVersion) -> dict[str, Reference]:
    """What photos are held against, whatever they show: LIKENESS the lower limit of what the model says of photos that
    it had not learnt from (else of held-back folds), where it says anything; QUALITY the first patients."""
    found = {QUALITY: Reference(None, FIRST, of=FIRST_PATIENTS)}
    if said := version.manifest.get("familiarity"):
        known = said.get("unseen") or {}
        told = known if known.get("photos") else said["realised"]
        share = 1 - max(said["false_alarms"], 1.0 if told["high"] is None else told["high"])
        if share >= sequential.LEAST_REFERENCE:
            like = told["photos"] - told["alarms"]
            found[LIKENESS] = Reference(_within(share), MODEL, count=like, of=told["photos"])
    return found


def stated(
    chosen: ThresholdSet,
    alpha: float,
    shares: Mapping[str, float | None],
    suggested: Mapping[str, Reference],
    photos: Mapping[str, Reference] | None = None,
) -> Rule:
    """A rule that a person states: a share by endpoint, None for no alarm. One as ``suggested`` keeps its source.
    ``photos``: those ``of_photos``, where their alarms are wanted.

    Raises Refused.
    """
    references: dict[str, Reference] = {}
    for name, share in shares.items():
        if share is None:
            continue
        if not sequential.LEAST_REFERENCE <= share <= sequential.MOST_REFERENCE:
            raise Refused(name, _("Give a share from 5 to 99.5 %, or nothing for no alarm."))
        known = suggested.get(name)
        is_known = known is not None and known.share is not None and abs(known.share - share) < 5e-4
        references[name] = known if known and is_known else Reference(share, STATED)
    if promised := from_promise(chosen):
        references[COVERAGE] = promised
    if alpha not in ALPHAS:
        raise Refused("alpha", _("Choose one of the shares of false alarms."))
    return Rule(alpha, AS_BENIGN, references | dict(photos or {}))


def from_promise(chosen: ThresholdSet) -> Reference | None:
    """What thresholds that cover the truth promise, each disease by the lower end of its range: nine in ten
    calibrations as large cover at least that."""
    kept = (chosen.details.get(coverage.RULE) or {}).get("diseases", {})
    lows = {key: _within(kept[key]["low"]) for key in DISEASE_KEYS if key in kept and "low" in kept[key]}
    return Reference(min(lows.values()), PROMISE, chosen.name, by_disease=lows) if lows else None


def from_evaluation(
    version: ModelVersion, clinic: Clinic, chosen: ThresholdSet, *, at_work: bool = False
) -> dict[str, Reference]:
    """Sensitivity and specificity in the newest evaluation that the model had not learnt from, without the patients
    that these thresholds were chosen on: of each the lower limit of its interval, so that chance in the evaluation is
    no alarm.

    ``at_work``: no request waits for it; else it raises NotYet.
    """
    found: dict[str, Reference] = {}
    rows = Evaluation.objects.filter(clinic=clinic, model_versions=version, state=Evaluation.State.DONE)
    for row in rows[:_MOST_EVALUATIONS]:
        try:
            report = Report(row, at_work=at_work)
            for dataset in report.datasets:
                for name, reference in _of_dataset(report, dataset, version, chosen).items():
                    found.setdefault(name, reference)
        except NoReport:
            continue
        if len(found) == 2:
            break
    return found


def _of_dataset(
    report: Report, dataset: dict, version: ModelVersion, chosen: ThresholdSet
) -> dict[str, Reference]:
    about = (dataset["pk"], dataset["title"]), (version.pk, report.model(version.pk)["name"])
    made_of = chosen.details.get("dataset_sha256")
    if dataset["sha256"] == made_of or (made_of and chosen_on.made_from(chosen) is None):
        return {}
    if standing.of_pair(report.row, *about).is_in_doubt:
        return {}
    shares = told_of(report, dataset["pk"], version.pk, chosen)
    said = f"{report.row.name}, {dataset['title']}"
    return {
        name: Reference(_within(one.low), EVALUATION, said, one.count, one.of, report.row.pk)
        for name, one in shares.items()
        if one.of >= LEAST_CASES and one.low is not None
    }


def told_of(
    report: Report,
    dataset: int,
    model: int,
    chosen: ThresholdSet,
    photos: Callable[[], units.Photos] | None = None,
) -> dict[str, Proportion]:
    """``shares_of`` of a dataset of the report, without the patients and lesions that the thresholds were chosen on, as
    they are kept beside it; ``photos`` reads its photos, where somebody else needs them, too. Raises NoReport, NotYet.
    """

    def look() -> dict[str, Any]:
        read = photos() if photos else units.read(report, dataset, model)
        others = read.only(~chosen_on.Calibration.of(chosen).holds(read))
        return {name: asdict(one) for name, one in shares_of(others, chosen).items()}

    version = chosen_on.made_from(chosen)
    key = (version.pk, version.revision) if version else ()
    plain = kept_values.told(report, dataset, model, f"alarms-{chosen.pk}", look, *key)
    return {name: Proportion(**plain[name]) for name in (SENSITIVITY, SPECIFICITY)}


def shares_of(photos: units.Photos, chosen: ThresholdSet, policy: str = AS_BENIGN) -> dict[str, Proportion]:
    """Sensitivity and specificity of malignant against benign, one photo a patient and group."""
    limits = np.array([chosen.values[key] for key in DISEASE_KEYS])
    suspicion = photos.scores[:, [DISEASE_KEYS.index(key) for key in MALIGNANT_KEYS]].sum(1)
    said = malignancy.says_malignant(photos.scores, limits, policy)
    keys = malignancy.malignant_keys(policy)
    is_malignant, is_known = np.isin(photos.truth, keys), np.isin(photos.truth, DISEASE_KEYS)
    found = {}
    for name, of_group in ((SENSITIVITY, is_malignant), (SPECIFICITY, is_known & ~is_malignant)):
        at = np.flatnonzero(of_group)
        chosen_of = at[malignancy.one_a_unit(photos.units[at], photos.lesions[at], suspicion[at])]
        right = said[chosen_of] == (name == SENSITIVITY)
        found[name] = proportion(int(right.sum()), len(right))
    return found


def _within(share: float | None) -> float:
    return float(np.clip(share or 0.0, sequential.LEAST_REFERENCE, sequential.MOST_REFERENCE))
