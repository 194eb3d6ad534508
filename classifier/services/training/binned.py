"""What follows for models when photos go to the bin, and for analyses when they come back."""

from collections.abc import Collection, Iterator

from django.db.models import Q

from classifier.models import Analysis, Assessment, Explanation
from classifier.services.analysis import analyses, explanations
from classifier.services.training.withdrawal import of_items
from skinclinic.archive.services.datasets.binned import items_of_photos
from skinclinic.engine import jobs
from skinclinic.models import Job, User
from skinclinic.services.binning import places
from skinclinic.services.binning.places import Photos, Use
from skinclinic.services.consent import Effect


@places.on_bin
def in_models(photos: Photos, user: User, act: bool) -> Iterator[Effect]:
    """Trainings stop, evaluations leave the photos out; what was learnt and measured before stands, and is told."""
    yield from of_items(items_of_photos(photos), act)


@places.uses_diagnoses
def in_assessments(photos: Photos | None, diagnoses: Collection[int] | None) -> Iterator[Use]:
    """What people concluded at an analysis, now and before."""
    rows = Assessment.objects.order_by("pk")
    if photos is not None:
        rows = rows.filter(analysis__photo__in=list(photos))
    elif diagnoses is not None:
        # What was replaced is withdrawn and holds nobody.
        rows = rows.filter(Q(impression__in=list(diagnoses)) | Q(conclusion__in=list(diagnoses)))
    wanted = None if diagnoses is None else set(diagnoses)
    for row in rows.select_related("analysis__photo"):
        replaced = [one.get("conclusion") for one in row.earlier_decisions]
        for key in {row.impression_id, row.conclusion_id, *replaced} - {None}:
            if wanted is None or key in wanted:
                photo = row.analysis.photo
                yield Use(key, photo.pk, photo.lesion_id)


@places.on_restore
def ask_again(photos: Photos) -> None:
    """Analyses and explanations that were under way, and found their photo gone, are asked for again."""
    rows = Analysis.objects.asked_for().filter(photo__in=list(photos), job__error_code=analyses.DELETED)
    for row in rows.select_related("job"):
        jobs.retry(row.job)
    again = Explanation.objects.filter(analysis__photo__in=list(photos), maps=None).values("pk")
    for job in Job.objects.filter(
        kind=explanations.JOB, subject__in=again, error_code=analyses.DELETED, state=Job.State.FAILED
    ):
        jobs.retry(job)
