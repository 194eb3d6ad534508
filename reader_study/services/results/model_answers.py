"""What the compared model says of the sample, and of the whole test set it was drawn from: a job."""

from collections.abc import Callable

from django.utils.translation import gettext as _

from classifier.services.analysis import batch_analyses
from classifier.services.evaluation import evaluations
from reader_study.models import Study, StudyImage
from skinclinic.archive.models import DatasetVersion
from skinclinic.archive.services.datasets import against
from skinclinic.engine import work
from skinclinic.engine.jobs import JobError
from skinclinic.models import Job
from skinclinic.vocabulary.diseases import DISEASE_KEYS

JOB = "study-model-answers"


def request(study: Study) -> Job | None:
    """Ask for the answers that are missing; None when none is or no model is compared.

    One that waits already will see the photos of now; one that runs may not, so another follows it.
    """
    if study.model_version_id is None or not missing(study):
        return None
    if waiting := Job.objects.filter(kind=JOB, subject=study.pk, state=Job.State.QUEUED).first():
        return waiting
    return work.ask(JOB, study.pk, study.clinic)


def is_busy(study: Study) -> bool:
    return work.is_busy([JOB], study.pk)


def missing(study: Study) -> int:
    """How many photos of the sample the model has not answered."""
    return study.images.filter(scores__isnull=True).exclude(photo=None).count()


def forget(study: Study) -> None:
    """The model is another one now."""
    study.images.update(scores=None)


def whole_set(study: Study) -> list[DatasetVersion]:
    """The dataset versions whose test sides the sample was drawn from."""
    pks = [int(pk) for pk in (study.recipe or {}).get("per", {})]
    return list(DatasetVersion.objects.filter(clinic=study.clinic_id, pk__in=pks).order_by("pk"))


def photos_of(study: Study) -> list[int]:
    """The photos the model has to see: the sample first, then the rest of the test sides."""
    sample = list(study.images.exclude(photo=None).order_by("number").values_list("photo", flat=True))
    rest = [
        photo
        for version in whole_set(study)
        for photo in evaluations.test_items(version)
        .filter(label__in=DISEASE_KEYS)
        .exclude(entry=None)
        .exclude(pk__in=against.rows(version, against.CONSENT).values("pk"))
        .order_by("pk")
        .values_list("entry__photo", flat=True)
    ]
    return list(dict.fromkeys([*sample, *rest]))


def run(study: Study, say: Callable[[float], None] = lambda share: None, *, give_way: bool = True) -> None:
    """Analyse what has no analysis yet. Raises JobError for a photo of the sample that cannot be read,
    weights.ModelRejected for a model that cannot be run."""
    if study.model_version is None:
        return
    photos = photos_of(study)
    total = max(len(photos), 1)
    unreadable = batch_analyses.analyse(
        study.model_version, photos, say=lambda done: say(min(done / total, 1.0)), give_way=give_way
    )
    sample = dict(study.images.exclude(photo=None).values_list("photo", "number"))
    if lost := [one for one in unreadable if one.photo in sample]:
        numbers = ", ".join(str(number) for number in sorted(sample[one.photo] for one in lost)[:20])
        raise JobError(
            "photo_unreadable",
            _("These photos of the sample cannot be read: %(numbers)s. Replace them. (%(reason)s)")
            % {"numbers": numbers, "reason": lost[0].reason[:200]},
        )


def store(study: Study, model: int) -> None:
    """Fill in the scores of the sample's photos of now, unless the model has been changed meanwhile."""
    now = Study.objects.select_related("model_version").filter(pk=study.pk, model_version=model).first()
    if now is None or now.model_version is None:
        return
    rows = {row.photo_id: row for row in now.images.filter(scores__isnull=True) if row.photo_id is not None}
    filled = []
    for found in batch_analyses.of_photos(now.model_version, list(rows)):
        row = rows[found.photo_id]
        row.scores = {key: found.scores[key] for key in DISEASE_KEYS}
        filled.append(row)
    StudyImage.objects.bulk_update(filled, ["scores"], batch_size=200)
