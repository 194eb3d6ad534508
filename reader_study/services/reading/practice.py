"""Practice that answers: what a practice photo shows, and whether enough of them were right to begin."""

from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from reader_study.models import PracticeTry, Reading, StudyImage
from reader_study.services.reading import reading as readings
from reader_study.services.reading.given import choices_of
from reader_study.services.reading.refusals import Refused
from reader_study.services.reading.taking_part import require_consent


@dataclass(frozen=True)
class Told:
    """Of one practice photo: what it shows ("" where the study does not tell), and whether the practice is over."""

    truth: str
    is_over: bool


@dataclass(frozen=True)
class Standing:
    """How a reader stands with the passing mark: ``right`` of ``total`` in the last finished try, tries used and
    allowed."""

    needed: int
    total: int
    tried: int
    allowed: int
    right: int | None
    is_passed: bool

    @property
    def is_stuck(self) -> bool:
        """Whether only the coordinator can help."""
        return not self.is_passed and self.tried >= self.allowed


def standing(reading: Reading) -> Standing | None:
    """None where there is no passing mark."""
    reader = reading.reader
    study = reader.study
    if not study.practice_pass or not reading.practice_order:
        return None
    tries = list(PracticeTry.objects.filter(reading__reader=reader).exclude(finished_at=None))
    total = len(_asked(reading))
    return Standing(
        needed=min(study.practice_pass, total),
        total=total,
        tried=len(tries),
        allowed=study.practice_tries + reader.more_tries,
        right=tries[-1].right if tries else None,
        is_passed=any(one.is_passed for one in tries),
    )


def require_passed(reading: Reading) -> None:
    """Raise Refused unless the practice was passed, where it must be."""
    found = standing(reading)
    if found and not found.is_passed:
        raise Refused("practice_stuck" if found.is_stuck else "practice", reading)


def require_may_try(reading: Reading) -> None:
    """Raise Refused when no try is left."""
    found = standing(reading)
    if found and found.is_stuck:
        raise Refused("practice_stuck", reading)


def begin(reading: Reading) -> None:
    """Begin the session, or go on; the first time only for those who take part and passed."""
    if reading.started_at is None:
        require_consent(reading.reader)
        readings.require_prepared(reading)
        require_passed(reading)
    readings.begin(reading)


@transaction.atomic
def answer(secret: str, session: str, position: int, choice: str) -> Told:
    """Take the answer to a practice photo; the first to each counts towards the passing mark, and one that is no
    diagnosis is not right.

    Raises LinkClosed, NoSuchPhoto, Refused.
    """
    reading = readings.find(secret, session, lock=True)
    readings.require_prepared(reading)
    study = reading.reader.study
    if choice not in choices_of(study):
        raise Refused("no_choice", reading)
    number = readings.number_at(reading.practice_order, position)
    truth = StudyImage.objects.values_list("truth", flat=True).get(study=study, number=number)
    is_over = False
    if study.practice_pass:
        require_may_try(reading)
        is_over = _count(reading, number, choice)
    return Told(truth if study.practice_feedback else "", is_over)


def _count(reading: Reading, number: int, choice: str) -> bool:
    """Put an answer into the try that goes on; whether that was the last of it."""
    now = reading.tries.filter(finished_at=None).first()
    if now is None:
        now = PracticeTry(reading=reading, number=reading.tries.count() + 1)
    now.answers.setdefault(str(number), choice)
    asked = _asked(reading)
    is_over = all(str(one) in now.answers for one in asked)
    if is_over:
        truths = dict(
            StudyImage.objects.filter(study=reading.reader.study_id, number__in=asked).values_list(
                "number", "truth"
            )
        )
        now.right = sum(now.answers[str(one)] == truths[one] for one in asked)
        now.is_passed = now.right >= min(reading.reader.study.practice_pass or 0, len(asked))
        now.finished_at = timezone.now()
    now.save()
    return is_over


def _asked(reading: Reading) -> list[int]:
    """The practice photos that were not taken out."""
    gone = readings.taken_out(reading.reader.study_id)
    return [number for number in reading.practice_order if number not in gone]


def tries_of(study) -> dict[int, tuple[int, bool, int]]:
    """Of each reader who has finished a try: tries, whether passed, right in the last."""
    found: dict[int, tuple[int, bool, int]] = {}
    rows = PracticeTry.objects.filter(reading__reader__study=study).exclude(finished_at=None)
    for reader, right, is_passed in rows.order_by("pk").values_list("reading__reader", "right", "is_passed"):
        n, passed, _last = found.get(reader, (0, False, 0))
        found[reader] = (n + 1, passed or is_passed, right)
    return found
