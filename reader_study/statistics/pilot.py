"""What a study that was read says of the variances of the next one: its answers as a pilot."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from classifier.metrics import notes, roc
from reader_study import mrmc
from reader_study.statistics import sizing
from reader_study.statistics.coded import MISSING, Part, Session, parts
from reader_study.statistics.ratings import AiAndTests, AiRatings, Ratings
from reader_study.statistics.tables import StudyTables
from skinclinic.vocabulary.diseases import DISEASE_KEYS

ACCURACY, BALANCED, SENSITIVITY, SPECIFICITY, AUC = (
    "accuracy", "balanced_accuracy", "sensitivity", "specificity", "auc",
)  # fmt: skip
# What the answers of a study can be measured by; AUCs need ratings.
MEASURES = (ACCURACY, BALANCED, SENSITIVITY, SPECIFICITY)
_OF_ONE_DISEASE: dict[str, Callable[..., mrmc.Merit]] = {
    BALANCED: mrmc.balanced_accuracy, SENSITIVITY: mrmc.sensitivity, SPECIFICITY: mrmc.specificity,
}  # fmt: skip


class NoPilot(ValueError):
    """The study cannot be a pilot; ``note`` says why (``classifier.metrics.notes``)."""

    def __init__(self, note: str):
        self.note = note
        super().__init__(note)


@dataclass(frozen=True)
class Question:
    """What is to be compared. ``sessions``: one for the model against readers, two for sessions (earlier, later);
    empty: the first, or the first two. ``dataset``: "" for all together."""

    design: str = sizing.SESSIONS
    measure: str = ACCURACY
    disease: str = ""
    dataset: str = ""
    sessions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Pilot:
    """``effect`` as it came out: later - earlier, or model - readers. ``cases`` are those that count for the measure:
    of a sensitivity the photos of the disease, of a specificity all others, else all. ``positives``: the photos
    of the disease, or cases with it; ``missing_share`` of the answers, which count as wrong."""

    spread: sizing.Spread
    effect: float
    readers: int
    cases: int
    sessions: tuple[str, ...]
    positives: int | None = None
    missing_share: float = 0.0


def of_study(tables: StudyTables, question: Question) -> Pilot:
    """From what every reader was given; a missing answer counts as wrong. Raises NoPilot."""
    part = _part(tables, question.dataset)
    sessions = _sessions(part, question)
    names = tuple(one.name for one in sessions)
    able = np.logical_and.reduce([one.read for one in sessions])
    if not able.any():
        anybody = all(one.read.any() for one in sessions)
        raise NoPilot(notes.OTHER_READERS if anybody else notes.NO_ANSWERS)
    sessions = [one.of(able) for one in sessions]
    given = np.logical_and.reduce([one.given for one in sessions])
    if not given.all():
        # Only what everybody read says how errors go together.
        raise NoPilot(notes.OTHER_IMAGES)
    said = [one.codes for one in sessions]
    if question.design == sizing.MODEL:
        if part.argmax is None:
            raise NoPilot(notes.NO_SCORES)
        said = [said[0], np.broadcast_to(part.argmax, said[0].shape)]
    merit, cases = _merit(part, np.stack(said), question)
    if merit.deviations is None:
        raise NoPilot(notes.ONE_IN_CLASS)
    shown = part.truth == DISEASE_KEYS.index(question.disease) if question.disease else None
    found = _pilot(question.design, merit, cases, names, None if shown is None else int(shown.sum()))
    return replace(found, missing_share=float(np.mean([one.codes == MISSING for one in sessions])))


def of_ratings(ratings: Ratings | AiRatings | AiAndTests, design: str) -> Pilot:
    """AUCs from a table of ratings, of its first two tests or of the AI and the first other test. Raises NoPilot."""
    if isinstance(ratings, AiAndTests):
        ratings = ratings.against[0] if design == sizing.MODEL else ratings.tests
    if isinstance(ratings, AiRatings):
        if design == sizing.SESSIONS:
            raise NoPilot(notes.ONE_TEST)
        values = np.stack([ratings.values, np.broadcast_to(ratings.ai, ratings.values.shape)])
        names: tuple[str, ...] = (ratings.test, ratings.ai_test)
    else:
        if design == sizing.MODEL:
            raise NoPilot(notes.NO_SCORES)
        if len(ratings.tests) < 2:
            raise NoPilot(notes.ONE_TEST)
        values, names = ratings.values[:2], ratings.tests[:2]
    if np.isnan(values).any():
        # Only what everybody read says how errors go together.
        raise NoPilot(notes.OTHER_IMAGES)
    return _pilot(
        design, mrmc.auc(values, ratings.truth), ratings.truth.size, names, int(ratings.truth.sum())
    )


def _pilot(design: str, both: mrmc.Merit, cases: int, names: tuple[str, ...], positives: int | None) -> Pilot:
    """``both`` [2, J]: the earlier session and the later one, or readers and the model."""
    first, second = (float(one) for one in both.value.mean(1))
    readers = both.value.shape[1]
    if readers < 2:
        raise NoPilot(notes.ONE_READER)
    is_model = design == sizing.MODEL
    spread = sizing.of_model(both[0] - both[1], cases) if is_model else sizing.of_sessions(both, cases)
    if not (spread.readers or spread.own):
        raise NoPilot(notes.NO_VARIANCE)
    return Pilot(spread, second - first, readers, cases, names, positives)


def _part(tables: StudyTables, dataset: str) -> Part:
    if not dataset:
        images = tuple(replace(image, dataset="") for image in tables.images)
        tables = replace(tables, images=images, whole=None)
    found = next((part for part in parts(tables) if part.name == dataset), None)
    if found is None:
        raise NoPilot(notes.NO_COMMON_IMAGES)
    return found


def _sessions(part: Part, question: Question) -> list[Session]:
    wanted = 2 if question.design == sizing.SESSIONS else 1
    by_name = {one.name: one for one in part.sessions}
    names = question.sessions or tuple(by_name)[:wanted]
    if len(names) != wanted or len(set(names)) < wanted or not set(names) <= set(by_name):
        raise NoPilot(notes.ONE_TEST)
    return [by_name[name] for name in names]


def _merit(part: Part, said: np.ndarray, question: Question) -> tuple[mrmc.Merit, int]:
    if question.measure == ACCURACY:
        return mrmc.accuracy(said == part.truth), part.truth.size
    place = DISEASE_KEYS.index(question.disease)
    shown = part.truth == place
    if question.disease not in part.choices:
        raise NoPilot(notes.NOT_A_CHOICE)
    try:
        merit = _OF_ONE_DISEASE[question.measure](said == place, shown)
    except roc.NotEvaluable:
        raise NoPilot(notes.missing_class(int(shown.sum()), int((~shown).sum()))) from None
    cases = {SENSITIVITY: int(shown.sum()), SPECIFICITY: int((~shown).sum())}
    return merit, cases.get(question.measure, part.truth.size)
