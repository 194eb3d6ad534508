"""How far the readers are: answers, time, when the next session may begin."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count
from django.utils import timezone

from reader_study.models import Answer, Reader, Reading, Study, StudyImage, StudySession
from reader_study.services.making import arms, manners
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
    """A reader and the reader's sessions, in the order in which they are read. ``cells``: one for each session of the
    study, None for one that is not the reader's; ``allocated``: what the reader was drawn to, in words."""

    reader: Reader
    stages: tuple[Stage, ...]
    cells: tuple[Stage | None, ...] = ()
    allocated: str = ""

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
    """All readers but previews, in the order in which they were enrolled: a few queries, however many there are; the
    answers themselves are read of readings that have changed since somebody looked."""
    enrolled = (
        study.readers.filter(is_preview=False)
        .select_related("group", "letter__job", "reminder__job", "allocation")
        .order_by("pk")
    )
    if not with_withdrawn:
        enrolled = enrolled.filter(withdrawn_at=None)
    readers = list(enrolled)
    for reader in readers:
        reader.study = study
    readings = list(
        Reading.objects.filter(reader__in=readers)
        .select_related("session")
        .order_by("place", "session__number")
    )
    stands = manners.stands(study)
    found = manners.of_readings(study, {reading.pk: reading.order for reading in readings}, stands)
    by_reader: dict[int, list[Stage]] = {}
    for reading in readings:
        stages = by_reader.setdefault(reading.reader_id, [])
        stand, told = stands.get(reading.pk), found.get(reading.pk)
        stages.append(
            Stage(
                session=reading.session,
                done=stand.given if stand else 0,
                total=len(reading.order),
                started_at=reading.started_at,
                finished_at=reading.finished_at,
                seconds=told.seconds if told else None,
                from_paper=stand.from_paper if stand else 0,
                begins_at=_washout(stages[-1] if stages else None, reading.session),
                manner=told.manner if told else None,
            )
        )
    is_drawn = any(hasattr(reader, "allocation") for reader in readers)
    sessions = list(study.sessions.order_by("number")) if is_drawn else []
    return [_line(reader, by_reader.get(reader.pk, ()), sessions) for reader in readers]


def _line(reader: Reader, stages: Sequence[Stage], sessions: Sequence[StudySession]) -> Line:
    if (place := getattr(reader, "allocation", None)) is None:
        return Line(reader, tuple(stages), tuple(stages))
    by_session = {stage.session.pk: stage for stage in stages}
    cells = tuple(by_session.get(session.pk) for session in sessions)
    return Line(reader, tuple(stages), cells, arms.name_of(place))


def _washout(before: Stage | None, session: StudySession) -> datetime | None:
    if before is None or before.finished_at is None or not (days := washout_days(before.session, session)):
        return None
    until = before.finished_at + timedelta(days=days)
    return until if until > timezone.now() else None


def washout_days(before: StudySession, session: StudySession) -> int:
    """Days between two sessions, in whichever order a reader takes them."""
    return max(before.washout_days, session.washout_days)


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
    """``share`` of several studies at once, by key: some queries, however many there are."""
    pks = [study.pk for study in studies]
    answers = Answer.objects.filter(
        reading__reader__study__in=pks, reading__reader__is_preview=False, reading__reader__withdrawn_at=None,
        image__is_practice=False, image__taken_out_at=None,
    ).exclude(choice="")  # fmt: skip
    given = _counted(answers, "reading__reader__study")
    photos = _counted(StudyImage.objects.counted().filter(study__in=pks), "study")
    sessions = _counted(StudySession.objects.filter(study__in=pks), "study")
    readers = _counted(Reader.objects.counted().filter(study__in=pks), "study")
    wanted = {pk: photos.get(pk, 0) * sessions.get(pk, 0) * readers.get(pk, 0) for pk in pks}
    shared_out = Reading.objects.filter(
        reader__in=Reader.objects.counted().filter(study__in=pks, study__design__isnull=False)
    )
    for pk in set(shared_out.order_by().values_list("reader__study", flat=True)):
        wanted[pk] = 0
    for pk, order in shared_out.values_list("reader__study", "order"):
        wanted[pk] += len(order)
    return {pk: (given.get(pk, 0), wanted[pk]) for pk in pks}


def _counted(rows, by: str) -> dict[int, int]:
    return dict(rows.order_by().values_list(by).annotate(n=Count("pk")))
