"""The job that trains one network."""

from collections.abc import Sequence
from functools import partial

from classifier.models import TrainingRun
from classifier.services.training import process as training_process
from classifier.services.training import trainings
from skinclinic.engine import jobs
from skinclinic.engine.jobs import JobError, Outcome, job
from skinclinic.models import Job


@job(trainings.JOB, transient=(training_process.Killed,), queue=trainings.QUEUE)
def train(rows: Sequence[Job]) -> Sequence[Outcome]:
    """Train in a process of its own, from the last checkpoint if there is one, and register the model."""
    return [_train(row) for row in rows]


def _train(row: Job) -> Outcome:
    run = (
        TrainingRun.objects.filter(job=row)
        .select_related("training__clinic", "training__dataset_version__dataset", "training__created_by")
        .first()
    )
    if run is None:
        return JobError("training_deleted", "The training was deleted.")

    def heard(progress: dict) -> None:
        if progress:
            trainings.note(run, progress)
        jobs.progress(row, trainings.share(progress))

    training_process.train(run, heard=heard, should_stop=partial(trainings.is_stopped, run.training))
    return trainings.keep_model(run)
