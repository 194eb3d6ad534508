"""What arrives for a photo, held against what the study asks."""

import uuid
from dataclasses import dataclass, replace
from datetime import datetime

from django.utils.translation import gettext as _

from reader_study import asked
from reader_study.models import Answer, Study

# What is said of a photo, and how it was said: fields of rows and of Given alike.
SAID = ("choice", "second", "confidence", "management", "quality", "knows_patient", "comment")
HOW = ("seconds", "timing", "saw_model", "device", "viewport")
# So much a browser's clock and a slow device may be off before an answer is marked as outside its time.
TOO_EARLY, TOO_LATE = 0.25, 2.0


class BadAnswer(ValueError):
    """What was sent is no answer to what the study asks; the text says why."""


@dataclass(frozen=True)
class Given:
    """What arrived for a photo. ``known``: number of the answer it was made upon, 0 for none; ``is_first``: the
    answer before the model's is shown; ``is_undo`` with no choice takes the answer back."""

    key: uuid.UUID
    known: int
    choice: str
    second: str = ""
    confidence: int | None = None
    seconds: float | None = None
    given_at: datetime | None = None
    is_first: bool = False
    is_undo: bool = False
    management: str = ""
    quality: str = ""
    knows_patient: bool = False
    comment: str = ""
    timing: str = ""
    saw_model: bool | None = None
    device: str = ""
    viewport: str = ""

    def values(self) -> dict:
        """The fields that rows share with it."""
        return {name: getattr(self, name) for name in (*SAID, *HOW)}


def as_asked(given: Given, study: Study) -> Given:
    """What was given, without what the study does not ask. Raises BadAnswer for what it does not offer, and for what
    it asks and was left out."""
    is_answer = bool(given.choice)
    is_diagnosis = is_answer and given.choice not in asked.NO_DIAGNOSIS
    is_judged = is_answer and given.choice != asked.OUT_OF_TIME
    given = replace(
        given,
        second=given.second if study.asks_second and is_diagnosis else "",
        confidence=given.confidence if study.asks_confidence and is_diagnosis else None,
        management=given.management if study.management_choices and is_judged else "",
        quality=given.quality if study.asks_quality and is_judged else "",
        knows_patient=given.knows_patient and study.asks_known and is_answer,
        comment=given.comment if study.asks_comment and is_judged else "",
    )
    _require_offered(given, study)
    if given.is_undo:
        return given
    if is_diagnosis and study.asks_confidence and not study.confidence_optional and given.confidence is None:
        raise BadAnswer(_("This study asks how sure you are."))
    if is_judged and study.management_choices and not given.management:
        raise BadAnswer(_("This study asks what you would do."))
    if is_judged and study.asks_quality and not given.quality:
        raise BadAnswer(_("This study asks how good the photo is."))
    return given


def choices_of(study: Study) -> list[str]:
    """Everything that may stand in the place of a diagnosis."""
    more = [asked.CANNOT_JUDGE] * study.offers_cannot_judge + [asked.OUT_OF_TIME] * bool(study.time_limit)
    return [*study.choices, *more]


def _require_offered(given: Given, study: Study) -> None:
    offered = {
        "choice": choices_of(study),
        "second": study.choices,
        "management": study.management_choices,
        "quality": asked.QUALITY,
    }
    for name, keys in offered.items():
        if (value := getattr(given, name)) and value not in keys:
            raise BadAnswer(_("“%(name)s” is none of the answers of this study.") % {"name": value[:80]})
    if given.second and given.second == given.choice:
        raise BadAnswer(_("The second choice is the same as the first."))


def timed(given: Given, study: Study, answer: Answer | None) -> Given:
    """The same with its ``timing``. After the model's answer is shown, the time begins anew."""
    if given.seconds is None or not given.choice or given.choice == asked.OUT_OF_TIME:
        return given
    before = answer.first_seconds if answer is not None and not given.is_first else None
    spent = given.seconds - (before or 0)
    if before is None and spent < study.choices_after - TOO_EARLY:
        return replace(given, timing=asked.EARLY)
    if study.time_limit and spent > study.time_limit + TOO_LATE:
        return replace(given, timing=asked.LATE)
    return given
