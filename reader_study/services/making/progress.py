"""How far the readers are: answers, time, when the next session may begin."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from django.db.models import Count
from django.utils import timezone

from reader_study.models import Answer, Reader, Reading, Study, StudyImage, StudySession
from reader_study.services.making import manners
from reader_study.statistics.manner import Manner


@dataclass(frozen=True)
class Stage:
    """One reader in one session: ``seconds`` is the median time a photo took, ``begins_at`` the end of a washout
    that is still running."""

    session: StudySession
    done: int
    total: int
    started_at: datetime | None
    finished_at: datetime | None
    seconds: float | None = None
    from_paper: int = 0
    begins_at: datetime | None = None
    manner: Manner | None = None

    @property
    def is_finished(self) -> bool:
        return self.finished_at is not None or (self.total > 0 and self.done >= self.total)


@dataclass(frozen=True)
class Line:
    """A reader and the sessions, in their order."""

    reader: Reader
    stages: tuple[Stage, ...]

    @property
    def is_finished(self) -> bool:
        return all(stage.is_finished for stage in self.stages)

    @property
    def is_overdue(self) -> bool:
        """Whether the day by which answers were wanted is over and some are missing."""
        day = self.reader.wanted_by
        return bool(
            day and day < timezone.localdate() and not self.is_finished and not self.reader.withdrawn_at
        )


def of(study: Study, *, with_withdrawn: bool = True) -> list[Line]:
    """All readers but previews, in the order in which they were enrolled: six queries, however many there are."""
    enrolled = (
        study.readers.filter(is_preview=False)
        .select_related("group", "letter__job", "reminder__job")
        .order_by("pk")
    )
    if not with_withdrawn:
        enrolled = enrolled.filter(withdrawn_at=None)
    readers = list(enrolled)
    for reader in readers:
        reader.study = study
    readings = list(
        Reading.objects.filter(reader__in=readers).select_related("session").order_by("session__number")
    )
    rows = Answer.objects.filter(reading__reader__study=study, image__is_practice=False).exclude(choice="")
    counts = dict(rows.order_by().values_list("reading").annotate(n=Count("pk")))
    paper = dict(rows.filter(is_from_paper=True).order_by().values_list("reading").annotate(n=Count("pk")))
    times: dict[int, list[float]] = {}
    for pk, seconds in rows.filter(seconds__isnull=False).order_by().values_list("reading", "seconds"):
        times.setdefault(pk, []).append(seconds or 0.0)
    found = manners.of_study(study)
    by_reader: dict[int, list[Stage]] = {}
    for reading in readings:
        stages = by_reader.setdefault(reading.reader_id, [])
        stages.append(
            Stage(
                session=reading.session,
                done=counts.get(reading.pk, 0),
                total=len(reading.order),
                started_at=reading.started_at,
                finished_at=reading.finished_at,
                seconds=median(times[reading.pk]) if reading.pk in times else None,
                from_paper=paper.get(reading.pk, 0),
                begins_at=_washout(stages[-1] if stages else None, reading.session),
                manner=found.get(reading.pk),
            )
        )
    return [Line(reader, tuple(by_reader.get(reader.pk, ()))) for reader in readers]


def _washout(before: Stage | None, session: StudySession) -> datetime | None:
    if before is None or before.finished_at is None or not session.washout_days:
        return None
    until = before.finished_at + timedelta(days=session.washout_days)
    return until if until > timezone.now() else None


def unfinished(study: Study) -> list[str]:
    """The code and session of every reading that counts and is not finished."""
    return [
        f"{line.reader.code}: {stage.session.key}"
        for line in of(study, with_withdrawn=False)
        for stage in line.stages
        if not stage.is_finished
    ]


def share(study: Study) -> tuple[int, int]:
    """Answers given and wanted in all, of the readers that count."""
    return shares([study])[study.pk]


def shares(studies: list[Study]) -> dict[int, tuple[int, int]]:
    """``share`` of several studies at once, by key: four queries."""
    pks = [study.pk for study in studies]
    answers = Answer.objects.filter(
        reading__reader__study__in=pks, reading__reader__is_preview=False, reading__reader__withdrawn_at=None,
        image__is_practice=False,
    ).exclude(choice="")  # fmt: skip
    given = _counted(answers, "reading__reader__study")
    photos = _counted(StudyImage.objects.filter(study__in=pks, is_practice=False), "study")
    sessions = _counted(StudySession.objects.filter(study__in=pks), "study")
    readers = _counted(Reader.objects.counted().filter(study__in=pks), "study")
    return {
        pk: (given.get(pk, 0), photos.get(pk, 0) * sessions.get(pk, 0) * readers.get(pk, 0)) for pk in pks
    }


def _counted(rows, by: str) -> dict[int, int]:
    return dict(rows.order_by().values_list(by).annotate(n=Count("pk")))
