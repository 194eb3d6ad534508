"""The analyse job: crops of stored photos through the network, in batches."""

from collections import defaultdict
from collections.abc import Sequence
from functools import partial

from django.conf import settings

from classifier.models import Analysis, LabelCheck, ModelVersion, TryRun
from classifier.services.analysis import analyses, batch_analyses, trials
from classifier.services.evaluation import label_checks
from classifier.services.models import running
from classifier.services.similar import making
from skinclinic import imaging
from skinclinic.engine import jobs, work
from skinclinic.engine.jobs import JobError
from skinclinic.files import store
from skinclinic.models import Job, Photo


def _runtime(version: ModelVersion):
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
    transient=(MemoryError, TimeoutError),
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
    from classifier.analysing.pipeline import analyse as run

    outcomes: dict[int | None, jobs.Outcome] = {}
    crops, ready = [], []
    for analysis in group:
        try:
            photo = imaging.open_rgb(_stored(analysis.photo))
        except (OSError, ValueError, Photo.DoesNotExist) as error:
            outcomes[analysis.job_id] = JobError(
                "photo_unreadable", f"The stored photo cannot be read: {error}"
            )
            continue
        crops.append(imaging.crop(photo, analysis.box))
        ready.append(analysis)
    if not ready:
        return outcomes
    try:
        results = run(_runtime(version), crops)
    except NonFiniteScores as error:
        if len(ready) > 1:
            raise  # the jobs service tries them one by one
        outcomes[ready[0].job_id] = JobError("scores_not_finite", str(error))
        return outcomes
    for analysis, result in zip(ready, results, strict=True):
        outcomes[analysis.job_id] = partial(analyses.store_outcome, analysis, result)
    return outcomes


def _stored(photo: Photo) -> bytes:
    """The photo's file; the new one where it was covered since its row was read."""
    try:
        return store.read(photo.file_key)
    except FileNotFoundError:
        return store.read(Photo.objects.values_list("file_key", flat=True).get(pk=photo.pk))


@jobs.job(trials.JOB, transient=(MemoryError, TimeoutError), queue=jobs.PHOTOS)
def analyse_trial(rows: Sequence[Job]) -> Sequence[jobs.Outcome]:
    """Analyse the photo of a try page, which has no record."""
    from classifier.analysing.pipeline import analyse as run

    (row,) = rows
    trial = TryRun.objects.filter(job=row).select_related("model_version").first()
    if trial is None:
        return [JobError("photo_deleted", "The photo was deleted.")]
    crop = imaging.crop(imaging.open_rgb(store.read(trial.file_key)), trial.box)
    (result,) = run(_runtime(trial.model_version), [crop])
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
        return [JobError("photo_unreadable", f"The stored photo cannot be read: {unreadable[0].reason}")]
    return [lambda: None]
