"""Where a reader stands: which session is open, which photos may be seen now, and who is refused and why."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet
from django.utils import timezone

from reader_study.models import Answer, Reader, Reading, StudyEvent, StudyImage
from reader_study.services import log
from reader_study.services.making.enrolment import LinkClosed
from reader_study.services.making.progress import washout_days
from reader_study.services.reading.refusals import Refused
from skinclinic.archive.services.curating import consent
from skinclinic.models import Photo
from skinclinic.services.secret_links import secret_hash
from skinclinic.web import acting

# So many photos after the one that is to be answered next may be fetched before their turn: the page fetches ten, to
# go on without a connection, and an answer taken back may overtake the request for one more.
AHEAD = 11
SEEN_EVERY = timedelta(minutes=1)
# A program that goes on knocking leaves one line in the log in this time.
LOGGED_EVERY = timedelta(minutes=10)


class NoSuchPhoto(Exception):
    """The reading has no photo at this position."""


@dataclass(frozen=True)
class Progress:
    """Which positions are answered, of ``total``. Answers typed in from paper may leave gaps; readers themselves go
    one by one. ``gone``: positions of photos that were taken out, which count as given."""

    given: frozenset[int]
    total: int
    gone: frozenset[int] = frozenset()

    @property
    def answered(self) -> int:
        return len(self.given)

    @property
    def next(self) -> int:
        """The first position that is not answered: one more than there are when all are."""
        return next(place for place in range(1, self.total + 2) if place not in self.given)

    def with_answer(self, position: int, *, is_given: bool) -> "Progress":
        """The same after an answer at ``position`` was given or taken back."""
        changed = self.given | {position} if is_given else self.given - {position}
        return Progress(changed | self.gone, self.total, self.gone)


@dataclass(frozen=True)
class Step:
    """One session as a reader sees it. ``state``: "locked", "ready", "begun" or "done"; ``opens_at``: when a
    locked one opens, None while the session before it is not done."""

    reading: Reading
    state: str
    answered: int
    opens_at: datetime | None = None
    washout_days: int = 0

    @property
    def total(self) -> int:
        return len(self.reading.order)

    @property
    def left(self) -> int:
        return self.total - self.answered


def readings() -> QuerySet[Reading]:
    """Readings with everything that says whether they may go on."""
    return Reading.objects.select_related("session", "reader__study")


def find(secret: str, session: str, *, lock: bool = False) -> Reading:
    """The reading of a link and the key of a session. Raises LinkClosed.

    With ``lock`` nothing else changes its answers until the transaction ends (SQLite: nothing else at all).
    """
    rows = readings()
    if lock:
        rows = rows.select_for_update(of=("self",), no_key=True)
    found = rows.filter(reader__secret_sha256=secret_hash(secret), session__key=session).first()
    if found is None:
        raise LinkClosed
    acting.by_link(acting.Via.READER, found.reader, found.reader.code)
    return found


def require_reader(reader: Reader, reading: Reading | None = None) -> None:
    """Raise Refused unless the reader may be in the study now."""
    study = reader.study
    if reader.withdrawn_at:
        raise Refused("withdrawn", reading)
    if study.is_closed:
        raise Refused("closed", reading)
    if study.is_draft and not reader.is_preview:
        raise Refused("not_open", reading)


def require_begun(reading: Reading) -> None:
    """Raise Refused unless the session goes on: begun, not finished, study open, link good."""
    require_reader(reading.reader, reading)
    if reading.finished_at:
        raise Refused("finished", reading)
    if reading.started_at is None:
        raise Refused("not_begun", reading)


def require_unlocked(reading: Reading) -> None:
    """Raise Refused unless the sessions before are done and the days between are over."""
    require_reader(reading.reader, reading)
    step = next(step for step in steps(reading.reader) if step.reading.pk == reading.pk)
    if step.state == "locked":
        raise Refused("washout" if step.opens_at else "earlier_session", reading)


def steps(reader: Reader) -> list[Step]:
    """The reader's sessions in their order."""
    rows = list(reader.readings.select_related("session").order_by("place", "session__number"))
    made, before = [], None
    for reading in rows:
        opens_at = _opens_at(reading, before, reader)
        is_locked = before is not None and (opens_at is None or opens_at > timezone.now())
        days = washout_days(before.session, reading.session) if before else 0
        made.append(_step(reading, opens_at, is_locked, days))
        before = reading
    return made


def _opens_at(reading: Reading, before: Reading | None, reader: Reader) -> datetime | None:
    if before is None or before.finished_at is None:
        return None
    if reader.is_preview:
        return before.finished_at
    return before.finished_at + timedelta(days=washout_days(before.session, reading.session))


def _step(reading: Reading, opens_at: datetime | None, is_locked: bool, days: int) -> Step:
    if reading.finished_at:
        state = "done"
    elif reading.started_at:
        state = "begun"
    else:
        state = "locked" if is_locked else "ready"
    answered = progress_of(reading).answered
    return Step(reading, state, answered, opens_at if state == "locked" else None, days)


def confirm_instructions(reading: Reading) -> None:
    """Note that the reader has read them; the session may begin."""
    require_unlocked(reading)
    Reading.objects.filter(pk=reading.pk, instructions_read_at=None).update(
        instructions_read_at=timezone.now()
    )


def require_prepared(reading: Reading) -> None:
    """Raise Refused unless the session is open to the reader and its instructions were confirmed."""
    require_unlocked(reading)
    if reading.instructions_read_at is None:
        raise Refused("instructions", reading)


def begin(reading: Reading) -> None:
    """Begin the session, or go on with one that was begun."""
    if reading.started_at:
        require_begun(reading)
        return
    require_prepared(reading)
    reading.started_at = timezone.now()
    Reading.objects.filter(pk=reading.pk, started_at=None).update(started_at=reading.started_at)


def finish(reading: Reading) -> None:
    """The reader says "I am done"; from now on the answers are final. A second time changes nothing."""
    if reading.finished_at:
        return
    require_begun(reading)
    if progress_of(reading).next <= len(reading.order):
        raise Refused("unanswered", reading)
    Reading.objects.filter(pk=reading.pk, finished_at=None).update(finished_at=timezone.now())


def progress_of(reading: Reading) -> Progress:
    """How far the reading has come; of photos that were taken out nothing is wanted."""
    given = Answer.objects.given().filter(reading=reading).values("image")
    images = StudyImage.with_repeats.filter(study=reading.reader.study_id).order_by()
    over = images.filter(Q(pk__in=given) | Q(taken_out_at__isnull=False))
    is_out = {number: at is not None for number, at in over.values_list("number", "taken_out_at")}
    places = list(enumerate(reading.order, start=1))
    return Progress(
        frozenset(place for place, number in places if number in is_out),
        len(reading.order),
        frozenset(place for place, number in places if is_out.get(number)),
    )


def taken_out(study: int) -> set[int]:
    """Numbers of the photos that were taken out of an open study."""
    gone = StudyImage.with_repeats.filter(study=study).exclude(taken_out_at=None)
    return set(gone.order_by().values_list("number", flat=True))


def require_in_reach(reading: Reading, position: int) -> None:
    """Raise Refused for a photo whose turn has not come, or is over where nobody may go back."""
    now = progress_of(reading)
    if position > now.next + AHEAD:
        raise Refused("not_yet", reading)
    if position < now.next and not reading.reader.study.may_go_back:
        raise Refused("no_going_back", reading)


def number_at(order: list[int], position: int) -> int:
    """The sample's number of the photo at a position, counted from 1. Raises NoSuchPhoto."""
    if not 1 <= position <= len(order):
        raise NoSuchPhoto
    return order[position - 1]


def photo_at(reading: Reading, position: int) -> Photo:
    """The photo at a position that the reader may see now. Raises Refused, NoSuchPhoto."""
    require_begun(reading)
    # One that was taken out is refused as such, so that the reader goes on with the next.
    photo = _photo(reading, number_at(reading.order, position))
    require_in_reach(reading, position)
    return photo


def practice_photo_at(reading: Reading, position: int) -> Photo:
    """A practice photo of the session; they may be seen in any order."""
    require_prepared(reading)
    return _photo(reading, number_at(reading.practice_order, position))


def _photo(reading: Reading, number: int) -> Photo:
    image = (
        StudyImage.with_repeats.filter(study=reading.reader.study_id, number=number)
        .select_related("photo__lesion", "dataset_item__entry__patient", "dataset_item__entry__source")
        .first()
    )
    if image is None or image.photo is None:
        raise NoSuchPhoto
    require_consent_of(image, reading)
    acting.let_to(image.photo)
    return image.photo


def require_consent_of(image: StudyImage, reading: Reading) -> None:
    """Raise Refused for a photo that was taken out, or whose patient does not consent now."""
    entry = image.dataset_item.entry if image.dataset_item else None
    answer = entry.patient.research_consent if entry and entry.patient else None
    if image.taken_out_at or (entry and consent.is_missing(answer, entry.source.is_own)):
        raise Refused("photo_gone", reading)


def note_seen(reader: Reader) -> None:
    """Remember when the reader was here, once a minute at most."""
    now = timezone.now()
    if reader.last_seen_at and now - reader.last_seen_at < SEEN_EVERY:
        return
    stale = Q(last_seen_at=None) | Q(last_seen_at__lt=now - SEEN_EVERY)
    Reader.objects.filter(stale, pk=reader.pk).update(last_seen_at=now)
    if reader.first_seen_at is None:
        Reader.objects.filter(pk=reader.pk, first_seen_at=None).update(first_seen_at=now)


def note_refused(reading: Reading, why: str, **details) -> None:
    """Log an answer that came too late, once in ten minutes a reader."""
    reader = reading.reader
    since = timezone.now() - LOGGED_EVERY
    kind = StudyEvent.Kind.ANSWER_REFUSED
    if StudyEvent.objects.filter(study=reader.study, kind=kind, reader=reader, at__gt=since).exists():
        return
    log.note(reader.study, kind, reader=reader, session=reading.session.key, why=why, **details)
