"""What is to be known of a model before it is published: where it was evaluated, what it lacks, and what differs from
the one in use."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from classifier.metrics.subgroups import LEAST_POSITIVES
from classifier.models import ModelVersion, ThresholdSet
from classifier.services.evaluation.report import NoReport, Report
from classifier.services.models import card as model_card
from classifier.services.models import evidence
from classifier.services.models.card import Card
from classifier.services.models.evidence import Cohort
from classifier.services.models.manifest_words import in_words
from classifier.services.models.set_words import NEVER_LISTED
from skinclinic.models import Clinic
from skinclinic.vocabulary.diseases import DISEASE_KEYS
from skinclinic.web.counts import gettext as _


@dataclass(frozen=True)
class Differs:
    """Something that is not as it is in the model in use; "" or "–" for nothing."""

    what: str
    now: str
    then: str


@dataclass(frozen=True)
class SameCohort:
    """A dataset on which both were evaluated, with their average AUCs. ``why_not``: what speaks against holding one
    against the other; then there are none."""

    title: str
    now: float | None
    then: float | None
    why_not: str = ""


@dataclass(frozen=True)
class SetTold:
    """A threshold set, the diseases it never lists, and those of which it promises nothing, by key."""

    row: ThresholdSet
    never: tuple[str, ...]
    unpromised: tuple[str, ...]


@dataclass(frozen=True)
class Candidate:
    """``untested``: diseases that no evaluation in this clinic could tell, by key; ``few``: of which none had as many
    photos as it takes to say much, with the most there were. ``lost``: names of threshold sets of
    the model in use that this one lacks: who has chosen one is shown the first of the others."""

    evaluations: Sequence[Cohort]
    limits: str
    untested: tuple[str, ...]
    few: tuple[tuple[str, int], ...]
    sets: tuple[SetTold, ...]
    lost: tuple[str, ...]
    differs: tuple[Differs, ...]
    same: tuple[SameCohort, ...]


def candidate(
    version: ModelVersion, clinic: Clinic, in_use: ModelVersion | None, card: Card, cohorts: Sequence[Cohort]
) -> Candidate:
    """Of ``version`` with its ``card`` and ``cohorts`` in this clinic, before it takes the place of ``in_use``."""
    never = [set(cohort.left_out) for cohort in cohorts]
    untested = set.intersection(*never) if never else set(DISEASE_KEYS)
    most = {key: max((one.positives.get(key, 0) for one in cohorts), default=0) for key in DISEASE_KEYS}
    sets = version.thresholds_for(clinic.pk)
    now = in_use.thresholds_for(clinic.pk) if in_use else []
    names = {one.name for one in sets}
    return Candidate(
        evaluations=cohorts,
        limits=card.limits,
        untested=tuple(key for key in DISEASE_KEYS if key in untested),
        few=tuple((key, n) for key, n in most.items() if key not in untested and n < LEAST_POSITIVES),
        sets=tuple(_told(one) for one in sets),
        lost=tuple(one.name for one in now if one.name not in names),
        differs=_differs(in_use, version, model_card.card(in_use, clinic), card) if in_use else (),
        same=_same(evidence.cohorts(in_use, clinic), cohorts) if in_use else (),
    )


def _told(row: ThresholdSet) -> SetTold:
    basis = row.details.get("basis")
    basis = basis if isinstance(basis, dict) else {}
    coverage = row.details.get("coverage")
    diseases = coverage.get("diseases", {}) if isinstance(coverage, dict) else {}
    return SetTold(
        row,
        tuple(
            key for key in DISEASE_KEYS if basis.get(key) == NEVER_LISTED or row.values.get(key, 1.0) >= 1.0
        ),
        tuple(key for key in DISEASE_KEYS if key in diseases and "rank" not in diseases[key]),
    )


def _differs(in_use: ModelVersion, version: ModelVersion, now: Card, then: Card) -> tuple[Differs, ...]:
    pairs = [
        (_("Network"), in_use.architecture, version.architecture),
        (_("Pixels it sees"), _side(now), _side(then)),
        (_("Trained on"), in_words(now.trained_on), in_words(then.trained_on)),
        (_("Outputs that stand for none of the 12"), _names(now), _names(then)),
        (_("Demo model"), _yes(in_use.is_demo), _yes(version.is_demo)),
    ]
    return tuple(Differs(what, a or "–", b or "–") for what, a, b in pairs if a != b)


def _side(card: Card) -> str:
    return f"{card.input_size} × {card.input_size}" if card.input_size else ""


def _names(card: Card) -> str:
    return str(len(card.background_classes) or "")


def _yes(is_so: bool) -> str:
    return _("yes") if is_so else _("no")


def _same(now: Sequence[Cohort], then: Sequence[Cohort]) -> tuple[SameCohort, ...]:
    before = {cohort.dataset["pk"]: cohort for cohort in now}
    return tuple(_beside(before[one.dataset["pk"]], one) for one in then if one.dataset["pk"] in before)


def _beside(now: Cohort, then: Cohort) -> SameCohort:
    title = str(then.dataset["title"])
    if doubts := [one.standing for one in (now, then) if one.standing.is_in_doubt]:
        why = "; ".join(f"{one.name}: {one.short}" for one in doubts)
        return SameCohort(title, None, None, _("not held against each other: %(why)s") % {"why": why})
    if not _are_the_same_photos(now, then):
        words = _(
            "not comparable: each was evaluated on other photos of it (%(now)d and %(then)d). Evaluate both together."
        )
        said = words % {"now": now.dataset["photos"], "then": then.dataset["photos"]}
        return SameCohort(title, None, None, said)
    return SameCohort(title, now.auc, then.auc)


def _are_the_same_photos(now: Cohort, then: Cohort) -> bool:
    """Of one evaluation they are; another may have left out what one of its models had seen, or what was withdrawn."""
    if now.evaluation == then.evaluation:
        return True
    if now.dataset["photos"] != then.dataset["photos"]:
        return False
    pk = then.dataset["pk"]
    try:
        first, second = (Report(one.evaluation).items(pk) for one in (now, then))
    except NoReport:
        return False
    return np.array_equal(first, second)
