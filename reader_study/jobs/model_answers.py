"""The job in which the compared model looks at a study's photos."""

from collections.abc import Sequence
from functools import partial

from classifier.networks.weights import ModelRejected
from reader_study.models import Study
from reader_study.services.results import model_answers
from skinclinic.engine import jobs
from skinclinic.engine.jobs import JobError, Outcome, job
from skinclinic.models import Job


@job(model_answers.JOB)
def answer(rows: Sequence[Job]) -> Sequence[Outcome]:
    """Analyse what has no analysis yet; what was analysed stays when this is killed."""
    return [outcome(row) for row in rows]


def outcome(row: Job, *, give_way: bool = True) -> Outcome:
    """Do the work of one job that this process holds."""
    study = Study.objects.filter(pk=row.subject).select_related("clinic", "model_version").first()
    if study is None or study.model_version is None:
        return lambda: None
    try:
        model_answers.run(study, lambda share: jobs.progress(row, share), give_way=give_way)
    except JobError as error:
        return error
    except ModelRejected as error:
        return JobError(error.code, error.message)
    return partial(model_answers.store, study, study.model_version.pk)
