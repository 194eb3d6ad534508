"""What a clinic's evaluations say of a model, and what its training data were: for the model's page."""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean

from classifier.models import Evaluation, ModelVersion
from classifier.services.evaluation import standing
from classifier.services.evaluation.report import NoReport, Report
from classifier.services.evaluation.run import SUBGROUPS
from classifier.services.evaluation.words import division_name, group_name
from skinclinic.archive.models import PROVENANCE, DatasetVersion
from skinclinic.models import Clinic

MOST_EVALUATIONS = 20


@dataclass(frozen=True)
class Group:
    """A subgroup: its photos, and the mean AUC over the ``diseases`` of which it has photos enough."""

    name: str
    photos: int
    auc: float | None
    diseases: int


@dataclass(frozen=True)
class Cohort:
    """One dataset the model was evaluated on; ``leaks_checked`` is False when nobody knows what it had seen.
    ``standing``: what was found then. ``positives``: photos of each disease."""

    evaluation: Evaluation
    dataset: dict
    model: int
    auc: float | None
    diseases: int
    left_out: tuple[str, ...]
    top_1: float | None
    balanced: float | None
    leaks_checked: bool
    standing: standing.Standing
    groups: tuple[tuple[str, tuple[Group, ...]], ...]
    positives: Mapping[str, int]


def cohorts(version: ModelVersion, clinic: Clinic) -> list[Cohort]:
    """The newest evaluation of the model on each dataset version of this clinic."""
    rows = Evaluation.objects.filter(clinic=clinic, model_versions=version, state=Evaluation.State.DONE)
    found: dict[int, Cohort] = {}
    for row in rows[:MOST_EVALUATIONS]:
        try:
            report = Report(row)
        except NoReport:
            continue
        for dataset in report.datasets:
            if dataset["pk"] not in found:
                found[dataset["pk"]] = _cohort(row, report, dataset, version.pk)
    return list(found.values())


def _cohort(row: Evaluation, report: Report, dataset: dict, model: int) -> Cohort:
    figures = report.figures_of(dataset["pk"], model)
    averages, first = figures["averages"], figures["ranking"]["top"][0]
    return Cohort(
        row,
        dataset,
        model,
        averages["auc"],
        averages["diseases"],
        tuple(averages["left_out"]),
        first["right"]["value"],
        first["class_balanced"],
        report.model(model)["leaks_checked"],
        standing.of_pair(row, (dataset["pk"], dataset["title"]), (model, report.model(model)["name"])),
        tuple((division_name(name), _groups(name, figures["diseases"])) for name in SUBGROUPS),
        {one["key"]: one["positives"] for one in figures["diseases"]},
    )


def _groups(division: str, diseases: list[dict]) -> tuple[Group, ...]:
    aucs: dict[str, list[float]] = {}
    photos: dict[str, int] = {}
    for disease in diseases:
        for one in disease["subgroups"].get(division, ()):
            photos[one["label"]] = one["photos"]
            aucs.setdefault(one["label"], [])
            if one["auc"]:
                aucs[one["label"]].append(one["auc"]["auc"])
    return tuple(
        Group(
            group_name(division, label),
            photos[label],
            fmean(aucs[label]) if aucs[label] else None,
            len(aucs[label]),
        )
        for label in photos
    )


@dataclass(frozen=True)
class TrainingData:
    """The dataset version a model was trained on; ``missing`` names what each source does not say."""

    version: DatasetVersion
    missing: tuple[tuple[str, tuple[str, ...]], ...]


def training_data(version: ModelVersion, clinic: Clinic) -> TrainingData | None:
    """What the model was trained on, if it is a dataset of this clinic."""
    data = version.trained_on_version
    if data is None or data.clinic_id != clinic.pk:
        return None
    missing = tuple(
        (str(source.get("name", "")), tuple(name for name in PROVENANCE if not source.get(name)))
        for source in data.provenance
    )
    return TrainingData(data, tuple(pair for pair in missing if pair[1]))
