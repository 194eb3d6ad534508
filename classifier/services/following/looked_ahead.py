"""What pages tell of an evaluation's patients, worked out before somebody asks."""

from functools import cache, partial

from classifier.models import Evaluation, ModelVersion
from classifier.services.evaluation import units
from classifier.services.evaluation.kept import gallery as kept_gallery
from classifier.services.evaluation.kept import scores as kept_scores
from classifier.services.evaluation.report import Report
from classifier.services.following import rules
from classifier.services.models import comparison, coverage, realised, transported


def look(row: Evaluation) -> None:
    """Of each model and dataset: what could be promised, the scores and the photos in order, what the datasets'
    thresholds give on each other, the comparisons somebody asked for, what came of the sets that cover the truth, and
    what alarms may be held against. What is kept and still holds is not looked for again. Raises NoReport.
    """
    report = Report(row, at_work=True)
    for dataset in report.datasets:
        for one in report.models:
            if len(report.datasets) > 1:
                transported.on(report, dataset["pk"], one["pk"])
            kept_gallery.of(report, dataset["pk"], one["pk"])
            comparison.look_for_asked(report, dataset["pk"], one["pk"])
    for model in (one["pk"] for one in report.models):
        # A model whose row is gone has no sets; what its photos say stays.
        version = ModelVersion.objects.filter(pk=model).first()
        sets = version.thresholds_for(row.clinic_id) if version else []
        for dataset in report.datasets:
            photos = cache(partial(units.read, report, dataset["pk"], model))
            coverage.needs(report, dataset["pk"], model, photos)
            kept_scores.of(report, dataset["pk"], model, photos)
            for chosen in sets:
                rules.told_of(report, dataset["pk"], model, chosen, photos)
                if coverage.RULE in chosen.details:
                    realised.on(chosen, report, dataset, photos)
