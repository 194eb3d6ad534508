"""What follows for models when a patient's consent is taken back: no training or evaluation goes on with the photos."""

from collections.abc import Iterator

from django.db.models import Q, QuerySet

from classifier.models import Evaluation, ModelVersion, Training
from classifier.services.training import trainings
from skinclinic.archive.models import DatasetItem
from skinclinic.archive.services.datasets.withdrawal import items_of, named
from skinclinic.models import Job, Patient, User, WorkState
from skinclinic.services import consent
from skinclinic.services.consent import Effect
from skinclinic.web.counts import ngettext

AT_WORK = (Job.State.QUEUED, Job.State.RUNNING)


@consent.on_withdrawal
def in_models(patient: Patient, user: User | None, act: bool) -> Iterator[Effect]:
    """Trainings stop, evaluations leave the photos out; what was learnt and measured before stands, and is told."""
    yield from of_items(items_of(patient), act)


def of_items(items: QuerySet[DatasetItem], act: bool) -> Iterator[Effect]:
    """The same of any photos in datasets."""
    trained = _sides(items, DatasetItem.Split.TRAIN)
    tested = _sides(items, DatasetItem.Split.TEST)
    going = list(
        Training.objects.filter(dataset_version__in=trained, runs__job__state__in=AT_WORK)
        .distinct()
        .order_by("pk")
    )
    if going:
        for training in going if act else ():
            trainings.stop(training)
        text = ngettext("%(n)d training stops: %(names)s.", "%(n)d trainings stop: %(names)s.", len(going))
        yield Effect("trainings", len(going), text % {"n": len(going), "names": named(going)})
    evaluations = Evaluation.objects.filter(dataset_versions__in=tested).distinct()
    under_way = evaluations.filter(state__in=(WorkState.WAITING, WorkState.RUNNING))
    if n := under_way.count():
        text = ngettext(
            "%(n)d evaluation under way leaves the photos out.",
            "%(n)d evaluations under way leave the photos out.",
            n,
        )
        yield Effect("evaluations", n, text % {"n": n})
    yield from _before(trained, evaluations)


def _before(trained: QuerySet, evaluations: QuerySet[Evaluation]) -> Iterator[Effect]:
    """What cannot be taken back."""
    models = list(ModelVersion.objects.filter(trained_on_version__in=trained).order_by("name"))
    if models:
        text = ngettext(
            "%(n)d model has learnt from them and stays as it is: %(names)s.",
            "%(n)d models have learnt from them and stay as they are: %(names)s.",
            len(models),
        )
        yield Effect("models", len(models), text % {"n": len(models), "names": named(models)})
    if n := evaluations.filter(state=WorkState.DONE).count():
        text = ngettext(
            "%(n)d finished evaluation counted them and keeps its figures.",
            "%(n)d finished evaluations counted them and keep their figures.",
            n,
        )
        yield Effect("evaluated", n, text % {"n": n})


def _sides(items: QuerySet[DatasetItem], side: str) -> QuerySet:
    """The versions in which the photos are on this side; where nothing was divided, they are on both."""
    return items.filter(Q(split=side) | Q(split="")).values("version")
