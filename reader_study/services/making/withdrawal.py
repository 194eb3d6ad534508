"""What follows in reader studies when a patient's consent is taken back: open ones show the photos no more."""

from collections.abc import Iterator
from functools import partial

from django.db.models import QuerySet
from django.utils import timezone

from reader_study.models import Reading, Study, StudyEvent, StudyImage
from reader_study.services import log
from reader_study.services.reading import reading as readings
from skinclinic.archive.services.curating.own_facts import entries_of
from skinclinic.archive.services.datasets.withdrawal import named
from skinclinic.models import Patient, User
from skinclinic.services import consent
from skinclinic.services.consent import Effect
from skinclinic.web.counts import ngettext


@consent.on_withdrawal
def in_studies(patient: Patient, user: User | None, act: bool) -> Iterator[Effect]:
    """Photos leave open studies and count no more there; a draft cannot open with them; a closed study stands."""
    images = StudyImage.with_repeats.filter(
        photo__in=entries_of(patient).values("photo"), taken_out_at=None
    ).order_by()
    yield from of_images(images, user, act)


def of_images(images: QuerySet[StudyImage], user: User | None, act: bool) -> Iterator[Effect]:
    """The same of any photos in studies."""
    said = partial(_said, images)
    if studies := _studies(images, Study.State.OPEN):
        effect = said(
            "open_studies", studies,
            ngettext(
                "%(photos)d photo is shown no more and no longer counts in the open study %(names)s.",
                "%(photos)d photos are shown no more and no longer count in open studies: %(names)s.",
                _count(images, studies),
            ),
        )  # fmt: skip
        for study in studies if act else ():
            _take_out(study, images.filter(study=study), user)
        yield effect
    if studies := _studies(images, Study.State.DRAFT):
        yield said(
            "draft_studies", studies,
            ngettext(
                "%(n)d draft of a study cannot open until its sample is drawn again: %(names)s.",
                "%(n)d drafts of studies cannot open until their samples are drawn again: %(names)s.",
                len(studies),
            ),
        )  # fmt: skip
    if studies := _studies(images, Study.State.CLOSED):
        yield said(
            "closed_studies", studies,
            ngettext(
                "%(n)d closed study counted them and keeps its figures: %(names)s.",
                "%(n)d closed studies counted them and keep their figures: %(names)s.",
                len(studies),
            ),
        )  # fmt: skip


def _studies(images: QuerySet[StudyImage], state: str) -> list[Study]:
    return list(Study.objects.filter(state=state, pk__in=images.values("study")).order_by("name"))


def _count(images: QuerySet[StudyImage], studies: list[Study]) -> int:
    return images.filter(study__in=studies, repeat_of=None).count()


def _said(images: QuerySet[StudyImage], key: str, studies: list[Study], text: str) -> Effect:
    numbers = {"n": len(studies), "photos": _count(images, studies), "names": named(studies)}
    return Effect(key, len(studies), text % numbers)


def _take_out(study: Study, images: QuerySet[StudyImage], user: User | None) -> None:
    numbers = sorted(images.values_list("number", flat=True))
    images.update(taken_out_at=timezone.now())
    log.note(study, StudyEvent.Kind.TAKEN_OUT, by=user, photos=numbers)
    if study.may_go_back:
        return
    # There the last answer ends a session, and for some it was given already.
    begun = Reading.objects.filter(reader__study=study, finished_at=None).exclude(started_at=None)
    for reading in begun.select_related("reader__study"):
        if readings.progress_of(reading).next > len(reading.order):
            Reading.objects.filter(pk=reading.pk).update(finished_at=timezone.now())
