"""What the list of evaluations says of each: a line a model and dataset, with what speaks against its figure."""

from dataclasses import dataclass

from classifier.models import Evaluation
from classifier.services.evaluation import standing


@dataclass(frozen=True)
class Line:
    """``has_result``: whether it was computed; then ``auc`` None means not evaluable."""

    model: str
    dataset: str
    has_result: bool
    auc: float | None
    standing: str
    is_in_doubt: bool


def evaluation_lines(row: Evaluation) -> list[Line]:
    """The lines of one evaluation; of one that was refused what its models have seen."""
    models = {model.pk: model.name for model in row.model_versions.all()}
    datasets = {version.pk: str(version) for version in row.dataset_versions.all()}
    found = {(one["dataset"], one["model"]): one for one in row.facts.get("results", ())}
    standings = standing.of(row)
    keys = [*found] or [key for key, one in standings.items() if one.short]
    return [
        _line(
            row,
            (dataset, datasets.get(dataset, "")),
            (model, models.get(model, "")),
            found.get((dataset, model)),
            standings.get((dataset, model)),
        )
        for dataset, model in keys
    ]


def _line(
    row: Evaluation,
    dataset: tuple[int, str],
    model: tuple[int, str],
    result: dict | None,
    known: standing.Standing | None,
) -> Line:
    known = known or standing.of_pair(row, dataset, model)
    return Line(
        model=model[1],
        dataset=dataset[1],
        has_result=result is not None,
        auc=result["auc"] if result else None,
        standing=known.short,
        is_in_doubt=known.is_in_doubt,
    )
