"""Which photos a model's answer counts for, and which of a lesion's answers the lesion carries. Pure.

The models know clinical close-ups. Of an overview, a dermoscopic photo or one on which there is nothing to see their
scores mean nothing, so nothing is listed and nothing of it counts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from skinclinic.imaging.quality import shows_nothing
from skinclinic.vocabulary.diseases import MALIGNANT_KEYS

CLOSE_UP, OVERVIEW, DERMOSCOPIC = "close_up", "overview", "dermoscopic"
UNFIT = "unfit"
# States of a job, as a lesion has them too.
QUEUED, RUNNING, DONE, FAILED, EMPTY = "queued", "running", "done", "failed", "empty"


def set_aside(kind: str, quality: Mapping[str, Any] | None) -> str:
    """Why an answer to a photo of this kind does not count: OVERVIEW, DERMOSCOPIC, UNFIT, or "" if it does."""
    if kind != CLOSE_UP:
        return kind
    return UNFIT if quality and shows_nothing(quality) else ""


@dataclass(frozen=True)
class PhotoAnswer:
    """A photo of a lesion, with what its newest analysis (of its present square) has come to.

    ``day``: that of the visit. ``state``: of the analysis, EMPTY where nobody asked for one. ``model``: the version
    that answered, by its name. ``unlike``: how far it is from its training photos, above 1 too far; None: not known.
    ``precision``: as ``Analysis`` has it.
    """

    photo: int
    day: date
    kind: str
    state: str
    scores: Mapping[str, float] | None = None
    quality: Mapping[str, Any] | None = None
    model: str = ""
    unlike: float | None = None
    precision: str = ""

    @property
    def set_aside(self) -> str:
        return set_aside(self.kind, self.quality)

    @property
    def is_doubtful(self) -> bool:
        """Whether it was warned about: blurred, dark, small."""
        return bool(self.quality and self.quality.get("warnings"))

    @property
    def malignant(self) -> float:
        return malignant_sum(self.scores or {})


def malignant_sum(scores: Mapping[str, float]) -> float:
    return sum(scores.get(key, 0.0) for key in MALIGNANT_KEYS)


def carried(answers: Sequence[PhotoAnswer]) -> PhotoAnswer | None:
    """The answer a lesion carries: the most suspicious of the close-ups of its last visit.

    A photo that was warned about raises the suspicion but never lowers it: without any such warning the last visit
    is the last day with a close-up; beside it counts what was warned about on that day or the last one after it.
    """
    counting = [one for one in answers if one.scores is not None and not one.set_aside]
    sure = [one for one in counting if not one.is_doubtful]
    doubtful = [one for one in counting if one.is_doubtful]
    days = {max(one.day for one in group) for group in (sure, doubtful) if group}
    last = max((one.day for one in sure), default=max(days, default=date.min))
    visit = [one for one in sure if one.day == last] + [
        one for one in doubtful if one.day == last or (one.day in days and one.day > last)
    ]
    return max(visit, key=lambda one: (one.malignant, one.day, one.photo), default=None)


def summary(answers: Sequence[PhotoAnswer], cover: int | None) -> dict[str, Any]:
    """The fields of a lesion with these photos of which ``cover`` is the newest: state, answer and whose it is, or
    why there is none although photos were analysed."""
    chosen = carried(answers)
    by_photo = {one.photo: one for one in answers}
    analysed = [one for one in answers if one.scores is not None]
    told = by_photo.get(cover or 0)
    if told is None or told.scores is None:
        told = max(analysed, key=lambda one: (one.day, one.photo), default=None)
    values: dict[str, Any] = {
        "state": _state(answers, by_photo.get(cover or 0), bool(analysed)),
        "answer_photo_id": None,
        "top_disease": "",
        "top_score": None,
        "malignant_sum": None,
        "set_aside": told.set_aside if told and chosen is None else "",
    }
    if chosen and chosen.scores:
        top = max(chosen.scores, key=chosen.scores.__getitem__)
        values |= {
            "answer_photo_id": chosen.photo,
            "top_disease": top,
            "top_score": chosen.scores[top],
            "malignant_sum": chosen.malignant,
        }
    return values


def _state(answers: Sequence[PhotoAnswer], cover: PhotoAnswer | None, is_analysed: bool) -> str:
    """What is under way comes first, then a failure of the newest photo, then what is there."""
    states = {one.state for one in answers}
    for state in (RUNNING, QUEUED):
        if state in states:
            return state
    if cover and cover.state == FAILED:
        return FAILED
    if is_analysed:
        return DONE
    return FAILED if FAILED in states else EMPTY
