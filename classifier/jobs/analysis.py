"""The analyse job: crops of stored photos through the network, in batches."""

import logging
from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import partial

from django.conf import settings

from classifier.models import Analysis, LabelCheck, ModelVersion, TryRun
from classifier.runtimes import memory
from classifier.services.analysis import analyses, batch_analyses, trials
from classifier.services.analysis.analyses import LOST
from classifier.services.evaluation import label_checks
from classifier.services.models import running
from classifier.services.similar import making
from skinclinic import imaging
from skinclinic.engine import health, jobs, work
from skinclinic.engine.health import WorkerFault
from skinclinic.engine.jobs import JobError
from skinclinic.files import store
from skinclinic.models import Job, Photo

log = logging.getLogger(__name__)


class NotRead(JobError):
    """The file is there, and the disk does not give it now."""

    def __init__(self, message: str):
        super().__init__(LOST, message)


def runtime_for(version: ModelVersion):
    """The network of a model as it runs for people. Raises JobError."""
    from classifier.networks.weights import ModelRejected

    try:
        return running.for_people(version.path)
    except ModelRejected as error:
        raise JobError(error.code, error.message) from error


def _batch() -> int:
    """On a GPU many photos at once; on a CPU one by one, so that the first answer comes first."""
    from classifier.runtimes import preferred_batch

    return preferred_batch(settings.CLASSIFIER_RUNTIME)


@jobs.job(
    analyses.JOB,
    batch=_batch,
    transient=(NotRead, TimeoutError),
    on_change=analyses.follow_jobs,
    queue=jobs.PHOTOS,
)
def analyse(rows: Sequence[Job]) -> Sequence[jobs.Outcome]:
    """Analyse the photos of the claimed jobs, model version by model version."""
    found = {
        analysis.job_id: analysis
        for analysis in Analysis.objects.filter(job__in=rows).select_related("photo", "model_version")
    }
    outcomes: dict[int | None, jobs.Outcome] = {
        row.pk: JobError(analyses.DELETED, "The photo was deleted.") for row in rows if row.pk not in found
    }
    by_version = defaultdict(list)
    for analysis in found.values():
        by_version[analysis.model_version].append(analysis)
    for version, group in by_version.items():
        outcomes |= _analyse_group(version, group)
    return [outcomes[row.pk] for row in rows]


def _analyse_group(version: ModelVersion, group: list[Analysis]) -> dict[int | None, jobs.Outcome]:
    from classifier.analysing.pipeline import NonFiniteScores

    outcomes: dict[int | None, jobs.Outcome] = {}
    crops, ready = [], []
    for analysis in group:
        try:
            photo = opened(partial(stored, analysis.photo))
        except Photo.DoesNotExist:
            outcomes[analysis.job_id] = JobError(analyses.DELETED, "The photo was deleted.")
            continue
        except (JobError, WorkerFault) as error:
            outcomes[analysis.job_id] = error
            continue
        crops.append(imaging.crop(photo, analysis.box))
        ready.append(analysis)
    if not ready:
        return outcomes
    try:
        results = _run(version, crops)
    except NonFiniteScores as error:
        if len(ready) > 1:
            raise  # the jobs service tries them one by one
        outcomes[ready[0].job_id] = JobError("scores_not_finite", str(error))
        return outcomes
    for analysis, result in zip(ready, results, strict=True):
        outcomes[analysis.job_id] = partial(analyses.store_outcome, analysis, result)
    return outcomes


def _run(version: ModelVersion, crops: Sequence) -> Sequence:
    """The network's answers. Raises NonFiniteScores, JobError, MemoryError."""
    with memory.told():
        # Loading the libraries takes memory, too.
        from classifier.analysing.pipeline import analyse as run

        return run(runtime_for(version), crops)


def opened(read: Callable[[], bytes]):
    """A stored photo in RGB. Raises JobError for one that is lost or damaged, NotRead for one that cannot be read now,
    WorkerFault where this worker has no photos at all. What they say names no path: everybody may read it."""
    try:
        return imaging.open_rgb(read())
    except FileNotFoundError as error:
        log.error("%s", error)
        if not store.is_there():
            raise WorkerFault(health.NO_PHOTOS, "this worker's photos folder is missing or empty") from error
        raise JobError(LOST, "The file of this photo is missing. Send the same file again.") from error
    except ValueError as error:
        log.error("a stored photo is damaged: %s", error)
        raise JobError(LOST, "The stored file of this photo is damaged. Send the same file again.") from error
    except OSError as error:
        # Pillow says of a file that is cut off the same as of a disk, but without a number.
        log.error("a stored photo cannot be read: %s", error)
        if error.errno is None:
            raise JobError(
                LOST, "The stored file of this photo is damaged. Send the same file again."
            ) from error
        raise NotRead("The stored photo could not be read. Try again later.") from error


def stored(photo: Photo) -> bytes:
    """The photo's file; the new one where it was covered since its row was read."""
    try:
        return store.read(photo.file_key)
    except FileNotFoundError:
        return store.read(Photo.objects.values_list("file_key", flat=True).get(pk=photo.pk))


@jobs.job(trials.JOB, transient=(NotRead, TimeoutError), queue=jobs.PHOTOS)
def analyse_trial(rows: Sequence[Job]) -> Sequence[jobs.Outcome]:
    """Analyse the photo of a try page, which has no record."""
    (row,) = rows
    trial = TryRun.objects.filter(job=row).select_related("model_version").first()
    if trial is None:
        return [JobError("photo_deleted", "The photo was deleted.")]
    crop = imaging.crop(opened(partial(store.read, trial.file_key)), trial.box)
    (result,) = _run(trial.model_version, [crop])
    return [partial(trials.store_outcome, trial, result)]


@jobs.job(label_checks.JOB, on_change=work.follow(LabelCheck))
def check_labels(rows: Sequence[Job]) -> Sequence[jobs.Outcome]:
    """Ask a model about archive photos; what it has answered already stays when this is killed."""
    from classifier.networks.weights import ModelRejected

    (row,) = rows
    check = LabelCheck.objects.filter(pk=row.subject).select_related("clinic", "model_version").first()
    if check is None:
        return [lambda: None]
    try:
        label_checks.run(check, lambda share: jobs.progress(row, min(share, 1.0)))
    except ModelRejected as error:
        return [JobError(error.code, error.message)]
    return [lambda: None]


@jobs.job(making.JOB, transient=(MemoryError, TimeoutError))
def make_features(rows: Sequence[Job]) -> Sequence[jobs.Outcome]:
    """Have a model look at a clinic's proven photos; what it has made already stays when this is killed."""
    from classifier.networks.weights import ModelRejected

    (row,) = rows
    version = ModelVersion.objects.filter(pk=row.subject).first()
    if version is None or row.clinic is None:
        return [lambda: None]
    try:
        making.make(row.clinic, version, lambda done, total: jobs.progress(row, done / max(total, 1)))
    except ModelRejected as error:
        return [JobError(error.code, error.message)]
    return [lambda: None]


@jobs.job(making.ONE, transient=(MemoryError, TimeoutError), queue=jobs.PHOTOS)
def make_features_of_photo(rows: Sequence[Job]) -> Sequence[jobs.Outcome]:
    """Have a model look at one photo again, whose answer is from before features were kept."""
    from classifier.networks.weights import ModelRejected

    (row,) = rows
    analysis = Analysis.objects.filter(pk=row.subject).select_related("model_version").first()
    if analysis is None:
        return [JobError(analyses.DELETED, "The photo was deleted.")]
    try:
        unreadable = batch_analyses.analyse(
            analysis.model_version, [analysis.photo_id], give_way=False, with_features=True
        )
    except ModelRejected as error:
        return [JobError(error.code, error.message)]
    if unreadable:
        log.error("photo %s was not read: %s", analysis.photo_id, unreadable[0].reason)
        return [JobError(LOST, "The stored file of this photo is damaged. Send the same file again.")]
    return [lambda: None]
