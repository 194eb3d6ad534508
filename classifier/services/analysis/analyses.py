"""Asking for analyses and storing what comes back."""

from collections.abc import Sequence

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from classifier.models import Analysis, ModelVersion
from classifier.runtimes import precisions
from classifier.services.analysis import features, suggested_squares
from classifier.services.analysis.summaries import summarise
from classifier.services.models import registry
from skinclinic.engine import jobs
from skinclinic.kept_queries import kept
from skinclinic.models import Clinic, Job, Photo, User
from skinclinic.services import audit, webhooks
from skinclinic.services.cases import hold_lesion_of

JOB = "analyse"
# What ``fill_in`` sets.
COMPUTED = (
    "scores", "background", "maps", "map_height", "map_width", "quality", "forward_seconds", "analysed_at",
    "runtime", "precision", "unlike",
)  # fmt: skip
# Of a job whose photo is gone, and of one whose photo has lost its file.
DELETED, LOST = "photo_deleted", "photo_unreadable"


class NoModel(Exception):
    """The clinic has no model to analyse with."""


@transaction.atomic
def request_analysis(photo: Photo, *, user: User | None, version: ModelVersion | None = None) -> Analysis:
    """Return the analysis of the photo's current square by the clinic's model, queued if it is new.

    Asking twice gives the same analysis and one job; what a batch has computed already is taken over.
    Raises NoModel.
    """
    hold_lesion_of(photo)
    version = version or registry.published(photo.clinic)
    if version is None:
        raise NoModel
    return _take_over(photo, version, user) or _request(photo, version, user)


def _job_key(photo: Photo, version: ModelVersion) -> str:
    box = photo.box
    square = f"{photo.pk}:{box.x},{box.y},{box.size}:{version.pk}"
    # The same square is analysed again where part of it was covered.
    outdated = photo.analyses.asked_for().filter(
        model_version=version, box_x=box.x, box_y=box.y, box_size=box.size, before_cover=True
    )
    return f"{square}:{n}" if (n := outdated.count()) else square


def _take_over(photo: Photo, version: ModelVersion, user: User | None) -> Analysis | None:
    """Give the analysis that a batch has made a finished job, so that it is the clinic's own from now on."""
    box = photo.box
    there = photo.analyses.filter(
        model_version=version, box_x=box.x, box_y=box.y, box_size=box.size, before_cover=False
    )
    made = there.filter(job=None).first()
    if made is None or there.asked_for().exists():
        return None
    made.job, _created = Job.objects.get_or_create(
        kind=JOB,
        key=_job_key(photo, version),
        defaults={
            "clinic": photo.clinic,
            "state": Job.State.DONE,
            "progress": 1.0,
            "finished_at": timezone.now(),
        },
    )
    # Asked for now, whenever it was computed: what follows the model counts it from here on.
    made.requested_by, made.requested_at = user, timezone.now()
    made.save(update_fields=["job", "requested_by", "requested_at"])
    summarise([photo.lesion_id])
    return made


def _request(photo: Photo, version: ModelVersion, user: User | None) -> Analysis:
    box = photo.box
    # The job first: it may be claimed only after commit, when its analysis is there too.
    job = jobs.enqueue(JOB, _job_key(photo, version), clinic=photo.clinic)
    analysis, created = Analysis.objects.get_or_create(
        job=job,
        defaults={
            "clinic": photo.clinic,
            "photo": photo,
            "model_version": version,
            "box_x": box.x,
            "box_y": box.y,
            "box_size": box.size,
            "requested_by": user,
            "suggested_square": suggested_squares.number_of(photo, version),
        },
    )
    if created:
        follow_jobs([job])
    else:
        summarise([photo.lesion_id])
    return analysis


# As many as a request queues in a moment; whoever has more asks again.
RETRIED_AT_ONCE = 500


def failed_of(clinic: Clinic) -> QuerySet[Analysis]:
    """The clinic's analyses that somebody asked for and that failed, oldest first."""
    return Analysis.objects.asked_for().filter(clinic=clinic, job__state=Job.State.FAILED).order_by("id")


@transaction.atomic
def retry_failed(clinic: Clinic, user: User) -> tuple[int, int]:
    """Queue the clinic's failed analyses again, ``RETRIED_AT_ONCE`` at a time; return how many were queued, and how
    many are still failed."""
    keys = list(failed_of(clinic).values_list("job", flat=True)[:RETRIED_AT_ONCE])
    queued = jobs.retry_all(JOB, keys)
    if queued:
        audit.record("analysis.retry", clinic=clinic, by=user, facts={"photos": queued})
    return queued, failed_of(clinic).count()


def retry_lost(clinic: Clinic, sha256: str) -> None:
    """Queue what failed for want of a photo's file, of photos made of this upload, which has just come again."""
    found = failed_of(clinic).filter(photo__sha256=sha256, job__error_code=LOST)
    jobs.retry_all(JOB, list(found.values_list("job", flat=True)))


def current_analysis(photo: Photo) -> Analysis | None:
    """The newest analysis of the photo's current square; one from before a cover while there is none since."""
    box = photo.box
    rows = photo.analyses.asked_for().select_related("job", "model_version").order_by("-id")
    return rows.filter(box_x=box.x, box_y=box.y, box_size=box.size).first()


def current_analyses(photos: Sequence[Photo]) -> dict[int, Analysis]:
    """As ``current_analysis``, of many photos by one query: {key of the photo: analysis}."""
    boxes = {photo.pk: photo.box for photo in photos}
    rows = Analysis.objects.asked_for().filter(photo__in=boxes).select_related("job").order_by("id")
    return {row.photo_id: row for row in rows if row.box == boxes[row.photo_id]}


def all_of(photo: Photo) -> list[Analysis]:
    """Every analysis of the photo that somebody asked for, of any square, newest first."""
    rows = _all_of(photo.pk)
    for row in rows:
        row.photo = photo
    return rows


@kept
def _all_of(photo: int) -> QuerySet[Analysis]:
    rows = Analysis.objects.asked_for().filter(photo=photo)
    return rows.select_related("job", "model_version").order_by("-id")


def store_outcome(analysis: Analysis, outcome) -> None:
    """Store a pipeline.Outcome with its analysis. Raises JobError where the photo was deleted meanwhile."""
    # The lesion first, as everybody does: the photo may be on its way into the bin.
    if hold_lesion_of(analysis.photo) is None:
        raise jobs.JobError(DELETED, "The photo was deleted.")
    fill_in(analysis, outcome)
    # Only what is computed here: the photo may have been covered while it was looked at. What a batch has computed in
    # full meanwhile, and an evaluation has read, stays.
    waiting = Analysis.objects.filter(pk=analysis.pk)
    if outcome.computed.precision != precisions.F32:
        waiting = waiting.exclude(precision=precisions.F32)
    waiting.update(**{name: getattr(analysis, name) for name in COMPUTED})
    if not Analysis.objects.filter(pk=analysis.pk, before_cover=True).exists():
        features.keep([(analysis, outcome.features)])
    # follow_jobs runs right after, in the same transaction, and brings the lesion up to date.
    photo = analysis.photo
    ids = {"analysis": analysis.pk, "photo": photo.pk, "lesion": photo.lesion_id}
    webhooks.tell(analysis.clinic_id, webhooks.Event.ANALYSIS, **ids)


def fill_in(analysis: Analysis, outcome) -> None:
    """Set an analysis' fields to what a pipeline.Outcome says."""
    analysis.scores = {key: round(float(score), 8) for key, score in outcome.scores.items()}
    analysis.background = float(outcome.background)
    analysis.maps = outcome.maps.astype("<f2").tobytes()
    analysis.map_height, analysis.map_width = outcome.maps.shape[1:]
    analysis.quality = outcome.quality.to_json()
    analysis.unlike = outcome.unlike
    analysis.forward_seconds = outcome.forward_seconds
    analysis.analysed_at = timezone.now()
    analysis.runtime = outcome.computed.runtime[:120]
    analysis.precision = outcome.computed.precision


def follow_jobs(rows: Sequence[Job]) -> None:
    """Bring the lesions of these jobs' analyses up to date with the jobs."""
    lesions = set(Analysis.objects.filter(job__in=rows).values_list("photo__lesion", flat=True))
    if lesions:
        summarise(lesions)
