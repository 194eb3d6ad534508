"""Evaluations: what can be chosen, asked for, taken up again, thrown away."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Count, QuerySet

from classifier.models import Evaluation, ModelVersion
from classifier.networks import weights
from classifier.services.models import registry
from skinclinic.archive.models import DatasetItem, DatasetRole, DatasetVersion
from skinclinic.archive.services.datasets import counted, large, summary
from skinclinic.engine import jobs, work
from skinclinic.models import Clinic, Job, User
from skinclinic.services.people import lock
from skinclinic.services.refused import Refused
from skinclinic.web.counts import gettext as _
from skinclinic.web.inputs import storable

JOB = "evaluate"
MOST_MODELS, MOST_DATASETS = 20, 10
REPEATS, MOST_REPEATS = 2000, 100_000
# Codes of jobs that were refused rather than failed: somebody has to decide before it can go on.
REFUSED = ("leaks",)
State = Evaluation.State


@dataclass(frozen=True)
class Offer:
    """Something that may be chosen; ``problem`` says why it cannot."""

    row: ModelVersion | DatasetVersion
    problem: str = ""
    photos: int = 0
    side: str = ""


def test_items(version: DatasetVersion) -> QuerySet[DatasetItem]:
    """The photos a version is evaluated on: its test side, or all where nothing was divided."""
    return version.items.filter(split=DatasetItem.Split.TEST) if version.split else version.items.all()


def model_offers(clinic: Clinic) -> list[Offer]:
    """The clinic's models, newest first."""
    return [Offer(version, _model_problem(version)) for version in registry.available(clinic)]


def _model_problem(version: ModelVersion) -> str:
    if all((version.path / name).is_file() for name in (weights.WEIGHTS_FILE, weights.MANIFEST_FILE)):
        return ""
    return _("Its files are missing on this server.")


def dataset_offers(clinic: Clinic, limit: int = 100) -> list[Offer]:
    """The clinic's dataset versions, newest first."""
    versions = (
        DatasetVersion.objects.filter(clinic=clinic).select_related("dataset").order_by("-created_at")[:limit]
    )
    return _dataset_offers(list(versions))


def dataset_offer(version: DatasetVersion) -> Offer:
    """A version with the number of photos of its test side, and what speaks against it."""
    (offer,) = _dataset_offers([version])
    return offer


def _dataset_offers(versions: list[DatasetVersion]) -> list[Offer]:
    """What versions have to test with: of large ones as it was counted once, or else as their split says; the others
    are counted in one query."""
    held = summary.photos_of(versions)
    many = [version for version in versions if held.get(version.pk, 0) > large.MOST_AT_ONCE]
    kept = counted.kept(many)
    few = [version.pk for version in versions if version not in many]
    divided = [version.pk for version in versions if version.split]
    tests = DatasetItem.objects.filter(version__in=few, split=DatasetItem.Split.TEST)
    photos = dict(tests.filter(version__in=divided).values_list("version").annotate(Count("id")).order_by())
    for version in many:
        there = kept.get(version.pk)
        sides = there.values["checks"]["sides"] if there and there.is_current else None
        photos[version.pk] = (sides or version.split.get("said", {})).get("test", 0)
    return [
        _dataset_offer(version, photos.get(version.pk, 0) if version.split else held.get(version.pk, 0))
        for version in versions
    ]


def _dataset_offer(version: DatasetVersion, photos: int) -> Offer:
    side = "test" if version.split else "all"
    problem = ""
    if not version.is_frozen:
        problem = _("A draft: freeze it first.")
    elif version.dataset.role == DatasetRole.TRAIN and not version.split:
        problem = _("It is for training only and has no test side.")
    elif not photos:
        problem = _("It has no photo to test with.")
    return Offer(version, problem, photos, side)


def request(
    clinic: Clinic,
    user: User | None,
    *,
    name: str,
    models: Sequence[ModelVersion],
    datasets: Sequence[DatasetVersion],
    remove_leaks: bool = False,
    premalignant_as: str = Evaluation.PremalignantAs.BENIGN,
    bootstrap: int = 0,
    here: bool = False,
) -> Evaluation:
    """Store an evaluation and ask for it. Raises Refused. ``here``: this process does the work itself."""
    name = " ".join(name.split())
    if not name or len(name) > 120 or not storable(name):
        raise Refused("name", _("Give it a name of at most 120 characters."))
    if not 1 <= len(models) <= MOST_MODELS:
        raise Refused("models", _("Choose from 1 to %(most)d models.") % {"most": MOST_MODELS})
    if not 1 <= len(datasets) <= MOST_DATASETS:
        raise Refused("datasets", _("Choose from 1 to %(most)d datasets.") % {"most": MOST_DATASETS})
    if not 0 <= bootstrap <= MOST_REPEATS:
        raise Refused("bootstrap", _("Choose from 0 to %(most)d repeats.") % {"most": MOST_REPEATS})
    _check_rows(clinic, models, datasets)
    with transaction.atomic():
        lock(clinic)
        if Evaluation.objects.filter(clinic=clinic, name=name).exists():
            raise Refused("name", _("This clinic already has an evaluation with this name."))
        row = Evaluation.objects.create(
            clinic=clinic, name=name, remove_leaks=remove_leaks, premalignant_as=premalignant_as, bootstrap=bootstrap,
            total=len(models) * sum(test_items(version).count() for version in datasets), created_by=user,
        )  # fmt: skip
        row.model_versions.set(models)
        row.dataset_versions.set(datasets)
        job = jobs.enqueue(JOB, str(row.pk), subject=row.pk, clinic=clinic)
        if here:
            jobs.take(job)
    return row


def _check_rows(clinic: Clinic, models: Sequence[ModelVersion], datasets: Sequence[DatasetVersion]) -> None:
    for version in models:
        if version.clinic_id not in (None, clinic.pk):
            raise ValueError("a clinic evaluates models of the product and its own")
        if problem := _model_problem(version):
            raise Refused("models", f"{version}: {problem}")
    for dataset in datasets:
        if dataset.clinic_id != clinic.pk:
            raise ValueError("a clinic evaluates on its own datasets")
        if problem := dataset_offer(dataset).problem:
            raise Refused("datasets", f"{dataset}: {problem}")


def job_of(row: Evaluation) -> Job | None:
    """The job that computes it."""
    return work.last([JOB], row.pk)


@transaction.atomic
def go_on(row: Evaluation, *, remove_leaks: bool = False) -> bool:
    """Take an evaluation up again that failed, was refused or stopped, if wanted without the photos its models have
    seen."""
    job = job_of(row)
    if job is None or not (row.can_go_on or row.state == State.REFUSED):
        return False
    if remove_leaks:
        Evaluation.objects.filter(pk=row.pk).update(remove_leaks=True)
    return jobs.retry(job)


def delete(row: Evaluation) -> bool:
    """Forget an evaluation and its report; its analyses stay. False while it runs."""
    if row.is_busy:
        return False
    folder = row.folder
    row.delete()
    shutil.rmtree(folder, ignore_errors=True)
    return True
