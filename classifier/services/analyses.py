"""Asking for analyses and storing what comes back."""

from django.db import transaction
from django.utils import timezone

from classifier.models import Analysis, ModelVersion
from classifier.services import registry
from skinclinic import jobs
from skinclinic.diseases import MALIGNANT_KEYS
from skinclinic.models import Job, Lesion, Photo, User
from skinclinic.services.lesions import on_new_cover

JOB = "analyse"


class NoModel(Exception):
    """The clinic has no model to analyse with."""


@transaction.atomic
def request_analysis(photo: Photo, *, user: User | None, version: ModelVersion | None = None) -> Analysis:
    """Return the analysis of the photo's current square by the clinic's model, queued if it is new.

    Asking twice gives the same analysis and one job. Raises NoModel.
    """
    version = version or registry.published(photo.clinic)
    if version is None:
        raise NoModel
    box = photo.box
    key = f"{photo.pk}:{box.x},{box.y},{box.size}:{version.pk}"
    # The job first: it may be claimed only after commit, when its analysis is there too.
    job = jobs.enqueue(JOB, key, clinic=photo.clinic)
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
        },
    )
    if created:
        follow_jobs([job])
    else:
        update_summary(analysis)
    return analysis


def current_analysis(photo: Photo) -> Analysis | None:
    """The newest analysis of the photo's current square."""
    box = photo.box
    return (
        photo.analyses.filter(box_x=box.x, box_y=box.y, box_size=box.size)
        .select_related("job", "model_version")
        .first()
    )


def store_outcome(analysis: Analysis, outcome) -> None:
    """Store a pipeline.Outcome with its analysis."""
    analysis.scores = {key: round(float(score), 8) for key, score in outcome.scores.items()}
    analysis.background = float(outcome.background)
    analysis.maps = outcome.maps.astype("<f2").tobytes()
    analysis.map_height, analysis.map_width = outcome.maps.shape[1:]
    analysis.quality = outcome.quality.to_json()
    analysis.forward_seconds = outcome.forward_seconds
    analysis.analysed_at = timezone.now()
    analysis.save()
    # follow_jobs runs right after, in the same transaction, and brings the lesion up to date.


def follow_jobs(rows: list[Job]) -> None:
    """Bring the lesions of these jobs' analyses up to date with the jobs."""
    analyses = Analysis.objects.filter(job__in=rows).select_related("job", "photo__lesion")
    for analysis in analyses:
        update_summary(analysis)


@on_new_cover
def summarise_cover(lesion: Lesion) -> None:
    """Bring the summary to what the new cover photo's analysis says, or clear it when there is none yet."""
    if analysis := current_analysis(lesion.cover):
        update_summary(analysis)
    else:
        Lesion.objects.filter(pk=lesion.pk).update(
            state=Lesion.State.EMPTY, top_disease="", top_score=None, malignant_sum=None
        )


def update_summary(analysis: Analysis) -> None:
    """Write state, top disease and malignant sum to the lesion, if this analysis is about its cover photo's
    current square."""
    lesion = analysis.photo.lesion
    if lesion.cover_id != analysis.photo_id or analysis.photo.box != analysis.box:
        return
    values = {"state": analysis.job.state, "top_disease": "", "top_score": None, "malignant_sum": None}
    if analysis.is_done:
        top = max(analysis.scores, key=analysis.scores.get)
        values["state"] = Lesion.State.DONE
        values["top_disease"], values["top_score"] = top, analysis.scores[top]
        values["malignant_sum"] = sum(analysis.scores[key] for key in MALIGNANT_KEYS)
    Lesion.objects.filter(pk=lesion.pk).update(**values)
