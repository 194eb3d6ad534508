"""Taking in a reader's answers: each once, none lost, none over another that its sender had not seen.

The same answer again, by its key, changes nothing. A change names the number of the answer it was made upon. If that is
still the one in force, it takes its place; if not, it is kept beside it, not in force, and the reader is shown both.
What comes after the end of a session or a study is refused by ``reading.require_begun`` in the words of
``refusals.py``, and logged.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from reader_study.models import Answer, AnswerChange, Reading, StudyImage
from reader_study.services.reading import reading as readings
from reader_study.services.reading.given import Given, as_asked, timed
from reader_study.services.reading.reading import NoSuchPhoto, Progress
from reader_study.services.reading.refusals import Refused

# Where nobody may go back, an answer can be taken back for so long; pages offer it for less.
UNDO_LIMIT = timedelta(seconds=30)


@dataclass(frozen=True)
class Taken:
    """What became of it: whether it is in force, the photo's answer as it stands now, and the position of
    the first photo without one; ``gone``: positions of photos that were taken out of the study."""

    is_in_force: bool
    answer: Answer | None
    next: int
    is_finished: bool
    gone: frozenset[int] = frozenset()


@transaction.atomic
def take(secret: str, session: str, position: int, given: Given) -> Taken:
    """Store a change to the answer at ``position``. The same ``key`` again changes nothing.

    Raises LinkClosed, NoSuchPhoto, BadAnswer, Refused.
    """
    reading = readings.find(secret, session, lock=True)
    given = as_asked(given, reading.reader.study)
    answer, image = _answer_at(reading, position)
    given = timed(given, reading.reader.study, answer)
    if known := AnswerChange.objects.filter(reading=reading, key=given.key).first():
        if known.image_id != image:
            raise Refused("key_of_another", reading)
        # Also after the end: the sender has only not heard yet that it arrived.
        return Taken(
            known.is_in_force, answer, readings.progress_of(reading).next, reading.finished_at is not None
        )
    readings.require_begun(reading)
    now = readings.progress_of(reading)
    if answer is None and position > now.next:
        raise Refused("not_yet", reading)
    if given.known != (answer.number if answer else 0):
        _keep(reading, image, given, answer.number if answer else 0, is_in_force=False)
        return Taken(False, answer, now.next, False, now.gone)

    _require_allowed(reading, position, answer, now, given)
    answer = _put_in_force(reading, image, answer, given)
    _keep(reading, image, given, answer.number, is_in_force=True)
    now = now.with_answer(position, is_given=bool(answer.choice))
    is_finished = _finish_if_last(reading, now)
    readings.note_seen(reading.reader)
    return Taken(True, answer, now.next, is_finished, now.gone)


def _answer_at(reading: Reading, position: int) -> tuple[Answer | None, int]:
    number = readings.number_at(reading.order, position)
    image = (
        StudyImage.with_repeats.filter(study=reading.reader.study_id, number=number)
        .values_list("pk", flat=True)
        .first()
    )
    if image is None:
        raise NoSuchPhoto
    return Answer.objects.filter(reading=reading, image=image).first(), image


def _require_allowed(
    reading: Reading, position: int, answer: Answer | None, now: Progress, given: Given
) -> None:
    """Raise Refused for a change that is against the rules of the study."""
    if given.is_first:
        if not reading.session.is_aided:
            raise Refused("not_aided_first", reading)
        if answer is not None and answer.first_choice:
            raise Refused("first_stands", reading)
    elif reading.session.is_aided and not (answer and answer.first_choice):
        raise Refused("first_needed", reading)
    if answer is not None and answer.choice:
        _require_change_allowed(reading, position, answer, now, given)


def _require_change_allowed(
    reading: Reading, position: int, answer: Answer, now: Progress, given: Given
) -> None:
    takes_back = given.is_undo and not given.choice
    if takes_back and position != now.next - 1:
        raise Refused("not_the_last", reading)
    if reading.reader.study.may_go_back:
        return
    if not takes_back:
        raise Refused("no_going_back", reading)
    if timezone.now() - answer.changed_at > UNDO_LIMIT:
        raise Refused("undo_too_late", reading)


def _put_in_force(reading: Reading, image: int, answer: Answer | None, given: Given) -> Answer:
    now = timezone.now()
    values: dict[str, Any] = {"changed_at": now}
    if given.is_first:
        values |= {"first_choice": given.choice, "first_seconds": given.seconds}
    else:
        values |= given.values()
        values["is_from_paper"] = False
    if answer is None:
        return Answer.objects.create(reading=reading, image_id=image, answered_at=now, **values)
    values["number"] = given.known + 1
    # The reading is locked; the condition holds even where a lock does not.
    if not Answer.objects.filter(pk=answer.pk, number=given.known).update(**values):
        raise Refused("changed_meanwhile", reading)
    for name, value in values.items():
        setattr(answer, name, value)
    return answer


def _keep(reading: Reading, image: int, given: Given, number: int, *, is_in_force: bool) -> None:
    AnswerChange.objects.create(
        reading=reading, image_id=image, key=given.key, number=number, given_at=given.given_at,
        is_first=given.is_first, is_undo=given.is_undo, is_in_force=is_in_force, **given.values(),
    )  # fmt: skip


def _finish_if_last(reading: Reading, now: Progress) -> bool:
    """Where nobody may go back, the last answer ends the session."""
    if reading.reader.study.may_go_back or now.next <= len(reading.order):
        return False
    Reading.objects.filter(pk=reading.pk).update(finished_at=timezone.now())
    return True
