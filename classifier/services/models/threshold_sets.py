"""Threshold sets made from an evaluation, with the photos they were measured on.

The other origin of a set is a model's manifest: a training writes it there (``training/thresholds.py``), and
registering the model makes rows of it.
"""

from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from classifier.metrics import conformal
from classifier.models import Evaluation, ModelVersion, ThresholdSet
from classifier.services.evaluation import looking, units
from classifier.services.evaluation.kept import scores as kept_scores
from classifier.services.evaluation.report import NotYet, Report
from classifier.services.models import coverage, set_words
from classifier.services.models.set_words import NEVER_LISTED
from skinclinic.models import User
from skinclinic.services import audit
from skinclinic.services.refused import Refused
from skinclinic.web.inputs import storable

YOUDEN, SENSITIVITY, COVERAGE = "youden", "sensitivity", coverage.RULE
RULES = (YOUDEN, SENSITIVITY, COVERAGE)
LEAST_WANTED = 0.5
# So few photos of a disease that its threshold says little.
FEW = 10
# Kept with the thresholds in English, like what a manifest says, and translated where they are shown.
BALANCED = gettext_noop("Greatest sum of sensitivity and specificity")


@dataclass(frozen=True)
class Chosen:
    """A threshold of one disease, and what it rests on in words."""

    value: float
    basis: str


def make(
    row: Evaluation,
    model: ModelVersion,
    dataset: int,
    *,
    name: str,
    rule: str,
    wanted: float | None,
    user: User | None,
) -> ThresholdSet:
    """Store thresholds of ``model`` chosen on the photos of a dataset version of the evaluation. Raises Refused.

    ``wanted``: the share that SENSITIVITY and COVERAGE aim at. A disease that the dataset cannot tell keeps the
    threshold of the model's first set; without one it is never listed, or, where the truth is to be covered, always.
    Each says which. Of more photos than a request looks through a job has to have put the scores in order; where it has
    yet to, that is asked for.
    """
    name = " ".join(name.split())
    if not name or len(name) > 60 or not storable(name):
        raise Refused("", _("Give the thresholds a name of at most 60 characters."))
    if rule not in RULES or (rule != YOUDEN and not _is_share(wanted)):
        raise Refused("", _("Choose Youden, or a share from 50 to less than 100 %."))
    if any(known.name == name for known in model.thresholds_for(row.clinic_id)):
        raise Refused(
            "", _("The model has thresholds of this name already. They never change; choose another.")
        )
    report = Report(row)
    said, averages = report.dataset(dataset), report.figures_of(dataset, model.pk)["averages"]
    try:
        values, basis, more = _chosen(report, dataset, model, rule, wanted)
    except NotYet:
        raise Refused("", _not_yet(row)) from None
    details: dict[str, object] = {
        "n": said["photos"],
        "patients": said["patients"],
        "auc": averages["auc"],
        "auc_by_disease": {
            result["key"]: result["auc"] and result["auc"]["auc"]
            for result in report.figures_of(dataset, model.pk)["diseases"]
        },
        "diseases": averages["diseases"],
        "date": timezone.localdate().isoformat(),
        # What is promised holds for new patients, unlike what was found on the photos it was chosen on.
        "optimistic": rule != COVERAGE,
        "rule": rule,
        "wanted": None if rule == YOUDEN else wanted,
        "evaluation": row.pk,
        "evaluation_name": row.name,
        "dataset": said["title"],
        "dataset_sha256": said["sha256"],
        "basis": basis,
    } | more
    try:
        with transaction.atomic():
            made = ThresholdSet.objects.create(
                model_version=model, clinic_id=row.clinic_id, name=name, purpose=_purpose(rule, wanted),
                cohort=_cohort(report, said, model.pk), values=values, details=details, created_by=user,
            )  # fmt: skip
            audit.record("threshold.make", made, by=user, after=values, facts={"model": model.pk})
            # What comes of them on all photos, before somebody looks.
            looking.ask_of_model(model, row.clinic)
            return made
    except IntegrityError:
        raise Refused(
            "", _("The model has thresholds of this name already. They never change; choose another.")
        ) from None


def _not_yet(row: Evaluation) -> str:
    if looking.ask(row):
        return _(
            "The photos of this evaluation are being looked through, once. Make the thresholds in a minute."
        )
    return _(
        "The photos of this evaluation could not be looked through. An admin finds why on the page of the queue."
    )


def _is_share(wanted: float | None) -> bool:
    try:
        return wanted is not None and LEAST_WANTED <= wanted < 1 and bool(conformal.share(wanted))
    except ValueError:
        return False


def _chosen(
    report: Report, dataset: int, model: ModelVersion, rule: str, wanted: float | None
) -> tuple[dict[str, float], dict[str, str], dict]:
    """The thresholds, what they rest on in words where that is to be said, and what else is kept of them."""
    found = kept_scores.of(report, dataset, model.pk, lambda: units.read(report, dataset, model.pk))
    if rule == COVERAGE and wanted is not None:
        promised = coverage.calibrate(report, dataset, model.pk, found, wanted, _fallback(model))
        return promised.values, promised.basis, {coverage.RULE: promised.kept}
    fallback = _fallback(model)
    chosen = {key: _one(key, one, rule, wanted, fallback) for key, one in found.diseases.items()}
    values = {key: one.value for key, one in chosen.items()}
    return values, {key: one.basis for key, one in chosen.items() if one.basis}, {}


def _fallback(model: ModelVersion) -> ThresholdSet | None:
    """The first of the sets that came with the model."""
    return next(iter(model.threshold_sets.filter(clinic=None)), None)


def _one(
    key: str, found: kept_scores.OfDisease, rule: str, wanted: float | None, fallback: ThresholdSet | None
) -> Chosen:
    if found.youden is None:
        if fallback:
            return Chosen(fallback.values[key], set_words.written_from(fallback.name))
        return Chosen(1.0, NEVER_LISTED)
    threshold = found.youden if rule == YOUDEN or wanted is None else found.most_specific(wanted)
    basis = set_words.written_few(found.positives) if found.positives < FEW else ""
    return Chosen(min(max(threshold, 0.0), 1.0), basis)


def _cohort(report: Report, dataset: dict, model: int) -> str:
    known = report.model(model)["leaks_checked"]
    return set_words.written_cohort(dataset, is_known=bool(known))


def _purpose(rule: str, wanted: float | None) -> str:
    if rule == YOUDEN or wanted is None:
        return BALANCED
    if rule == COVERAGE:
        return f"Covers the truth in at least {100 * wanted:.4g} % of patients like these"
    return f"Sensitivity of at least {100 * wanted:.4g} % for each disease"
