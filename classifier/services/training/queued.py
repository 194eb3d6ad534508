"""A training in the queue: stopping a run stops its training after a checkpoint, and all its runs go on together."""

from classifier.models import TrainingRun
from classifier.services.training import trainings
from skinclinic.models import Job, User
from skinclinic.services import queue


def _stop(job: Job, by: User) -> bool:
    run = TrainingRun.objects.filter(job=job).select_related("training").first()
    if run is None:
        return False
    trainings.stop(run.training)
    return True


def _go_on(job: Job) -> bool:
    run = TrainingRun.objects.filter(job=job).select_related("training").first()
    return run is not None and trainings.resume(run.training) > 0


queue.stoppers[trainings.JOB] = _stop
queue.retriers[trainings.JOB] = _go_on
