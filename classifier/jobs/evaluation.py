"""The jobs that evaluate models on frozen datasets, and that look through an evaluation's photos again."""

from collections.abc import Sequence
from contextlib import suppress
from functools import partial

from classifier.models import Evaluation
from classifier.networks.weights import ModelRejected
from classifier.services.evaluation import evaluations, looking
from classifier.services.evaluation import run as evaluation_run
from classifier.services.evaluation.report import NoReport
from classifier.services.following import looked_ahead
from skinclinic.engine import jobs, work
from skinclinic.engine.jobs import JobError, Outcome, job
from skinclinic.models import Job


@job(evaluations.JOB, on_change=work.follow(Evaluation, refused=evaluations.REFUSED))
def evaluate(rows: Sequence[Job]) -> Sequence[Outcome]:
    """Analyse what has no analysis yet, then compute; what was analysed stays when this is killed."""
    return [outcome(row) for row in rows]


def outcome(row: Job, *, give_way: bool = True) -> Outcome:
    """Do the work of one job that this process holds."""
    found = Evaluation.objects.filter(pk=row.subject).select_related("clinic", "created_by").first()
    if found is None:
        return JobError("evaluation_deleted", "The evaluation was deleted.")

    def say(done: int, total: int) -> None:
        Evaluation.objects.filter(pk=found.pk).update(done=done, total=total)
        jobs.progress(row, min(done / max(total, 1), 1.0))

    try:
        report = evaluation_run.run(found, say, give_way=give_way)
        with suppress(NoReport):
            looked_ahead.look(found)
    except JobError as error:
        return error
    except ModelRejected as error:
        return JobError(error.code, error.message)
    return partial(evaluation_run.finish, found, report)


@job(looking.JOB, transient=(MemoryError, TimeoutError), queue=jobs.BATCH)
def look_through(rows: Sequence[Job]) -> Sequence[Outcome]:
    """Work out what its pages tell of an evaluation's patients. What it stores it stores as it goes."""
    (row,) = rows
    found = Evaluation.objects.filter(pk=row.subject).select_related("clinic").first()
    if found is not None:
        # Without its files there is nothing to tell, as its page says.
        with suppress(NoReport):
            looked_ahead.look(found)
    return [lambda: None]
