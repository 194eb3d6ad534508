"""The job that explains an answer by another method."""

from collections.abc import Sequence
from functools import partial

from classifier.jobs.analysis import NotRead, opened, stored
from classifier.models import Explanation
from classifier.runtimes import memory
from classifier.services.analysis import explanations
from classifier.services.analysis.analyses import DELETED
from classifier.services.analysis.batch_analyses import wait_for_photos
from skinclinic import imaging
from skinclinic.engine import jobs, work
from skinclinic.engine.jobs import JobError
from skinclinic.models import Job, Photo


@jobs.job(
    explanations.JOB,
    transient=(MemoryError, NotRead, TimeoutError),
    on_change=work.follow(Explanation, refused=explanations.REFUSED),
)
def explain(rows: Sequence[Job]) -> Sequence[jobs.Outcome]:
    """Explain one answer. New photos of the clinic come first; one that is killed begins anew."""
    from classifier.analysing import explaining
    from classifier.networks.weights import ModelRejected

    (job,) = rows
    rows_of_job = Explanation.objects.filter(pk=job.subject)
    row = rows_of_job.select_related("analysis__photo", "analysis__model_version").first()
    if row is None:
        return [JobError(DELETED, "The photo was deleted.")]
    analysis = row.analysis
    if analysis.before_cover:
        return [explanations.covered()]

    def say(share: float) -> None:
        jobs.progress(job, min(share, 1.0))
        wait_for_photos()

    try:
        crop = imaging.crop(opened(partial(stored, analysis.photo)), analysis.box)
    except Photo.DoesNotExist:
        return [JobError(DELETED, "The photo was deleted.")]
    try:
        with memory.told():
            found = explaining.explain(analysis.model_version.path, crop, row.method, say)
    except (ModelRejected, explaining.CannotExplain) as error:
        return [JobError(error.code, str(error))]
    return [partial(explanations.store, row, found)]
