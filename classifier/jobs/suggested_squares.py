"""The job that suggests squares of a photo: a pass of the network for each square that covers it."""

from collections.abc import Sequence
from functools import partial

from classifier.jobs.analysis import NotRead, opened, runtime_for, stored
from classifier.runtimes import memory
from classifier.services.analysis import suggested_squares
from skinclinic.engine import jobs
from skinclinic.engine.jobs import JobError
from skinclinic.models import Job, Photo


@jobs.job(suggested_squares.JOB, transient=(NotRead, TimeoutError), queue=jobs.PHOTOS)
def suggest(rows: Sequence[Job]) -> Sequence[jobs.Outcome]:
    """Suggest squares of one photo, with the network that answers for the clinic and as finely."""
    from classifier.analysing import squares

    (job,) = rows
    photo = Photo.objects.filter(pk=job.subject).first()
    version = suggested_squares.version_of(job)
    if photo is None or version is None:
        return [JobError(suggested_squares.DELETED, "The photo was deleted.")]
    try:
        picture = opened(partial(stored, photo))
    except Photo.DoesNotExist:
        return [JobError(suggested_squares.DELETED, "The photo was deleted.")]
    runtime = runtime_for(version)
    with memory.told():
        boxes = squares.suggest(runtime, picture)
    return [partial(suggested_squares.store, photo, version, boxes, runtime.computed)]
