"""A question asked of all diseases together: what is right on which image, for readers and for the model.

A missing answer is wrong, or with the rule AS_READ no answer at all. The model answers with its first choice, as a
reader does. "Malignant against benign" may rest on the protocol's thresholds instead: malignant is then what any
malignant disease is listed for.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from classifier.metrics import notes
from classifier.metrics.groups import tier_groups
from classifier.metrics.listing import is_listed
from reader_study import mrmc
from reader_study.statistics import by_design, one_shot
from reader_study.statistics.by_design import BALANCED_ACCURACY, SENSITIVITY, SPECIFICITY
from reader_study.statistics.coded import MISSING, MISSING_IS_WRONG, Part, Session
from reader_study.statistics.endpoints import ACCURACY, MALIGNANCY, MANAGEMENT
from reader_study.statistics.points import LEAST_CASES, LEAST_IMAGES
from reader_study.statistics.tables import BIOPSY, MANAGEMENTS
from reader_study.statistics.verdicts import FIRST_CHOICE
from skinclinic.vocabulary.diseases import DISEASE_KEYS, MALIGNANT


@dataclass(frozen=True)
class Question:
    """One question of a part. ``positive`` [n]: what is malignant, for which ``codes`` stand; None where all images
    count alike. ``model`` [n]: where the model is right; None with a ``model_note``."""

    name: str
    part: Part
    positive: np.ndarray | None
    codes: np.ndarray
    model: np.ndarray | None
    model_note: str

    def right(self, who: Session) -> np.ndarray:
        """Where readers are right [J, n]; never where they said nothing."""
        if self.positive is None:
            return np.asarray(who.codes == self.part.truth)
        said = (
            who.management == MANAGEMENTS.index(BIOPSY)
            if self.name == MANAGEMENT
            else np.isin(who.codes, self.codes)
        )
        return np.asarray((said == self.positive) & self.answered(who))

    def answered(self, who: Session) -> np.ndarray:
        return np.asarray((who.management if self.name == MANAGEMENT else who.codes) != MISSING)

    def cells(self, who: Session, rule: str) -> np.ndarray:
        return who.given if rule == MISSING_IS_WRONG else who.given & self.answered(who)

    def missing_share(self, *sessions: Session) -> float:
        """How much of what readers were given to answer this they left out, in the session that lacks most."""
        return max(
            (
                float((who.given & ~self.answered(who)).sum() / who.given.sum())
                for who in sessions
                if who.given.any()
            ),
            default=0.0,
        )

    @property
    def least(self) -> int:
        """Of fewer images of a class nothing is concluded."""
        return LEAST_IMAGES if self.positive is None else LEAST_CASES

    def among(self, merit: str) -> tuple[np.ndarray, ...]:
        """The classes of images of which the figure is the mean of shares."""
        if self.positive is None:
            return (np.ones(len(self.part.truth), bool),)
        classes = {SENSITIVITY: (self.positive,), SPECIFICITY: (~self.positive,)}
        return classes.get(merit, (self.positive, ~self.positive))

    def merit(self, merit: str, right: np.ndarray, cells: np.ndarray) -> mrmc.Merit:
        """The figure of each reader: a share jackknifed over its own cases, balanced accuracy over all."""
        classes = self.among(merit)
        if len(classes) == 1:
            return mrmc.accuracy(right, cells & classes[0])
        # A positive decision is a right one on what is positive, a wrong one on all else.
        return mrmc.balanced_accuracy(right == self.positive, np.asarray(self.positive), cells)

    def kernel(self, merit: str, right: np.ndarray, cells: np.ndarray) -> one_shot.Kernel:
        """The same for U-statistics, where readers read different images."""
        classes = self.among(merit)
        if self.positive is None or len(classes) == 1:
            return by_design.kernel(by_design.ACCURACY, right, self.part.truth, cells & classes[0])
        return by_design.kernel(BALANCED_ACCURACY, right == self.positive, self.positive, cells)


def malignancy(
    part: Part, ak: str, operating_point: str = FIRST_CHOICE, thresholds: Mapping[str, float] | None = None
) -> Question:
    """Malignant against benign, with actinic keratosis where ``ak`` says."""
    malignant = np.array([DISEASE_KEYS.index(key) for key in tier_groups(ak)[MALIGNANT]])
    positive = np.isin(part.truth, malignant)
    decided, note = _model_says(part, malignant, operating_point, thresholds or {})
    right = None if decided is None else np.asarray(decided == positive)
    return Question(MALIGNANCY, part, positive, malignant, right, note)


def _model_says(
    part: Part, malignant: np.ndarray, operating_point: str, thresholds: Mapping[str, float]
) -> tuple[np.ndarray | None, str]:
    if (note := _no_model(part)) or part.scores is None or part.argmax is None:
        return None, note
    if operating_point == FIRST_CHOICE:
        return np.isin(part.argmax, malignant), ""
    limits = [thresholds.get(DISEASE_KEYS[place]) for place in malignant]
    if None in limits:
        return None, notes.NO_THRESHOLD
    return np.asarray(is_listed(part.scores[:, malignant], np.array(limits, float)).any(1)), ""


def _no_model(part: Part) -> str:
    if part.scores is None:
        return notes.NO_SCORES
    return notes.CONSTANT_SCORES if part.scores.min() == part.scores.max() else ""


def accuracy(part: Part) -> Question:
    """The share of images named rightly."""
    note = _no_model(part)
    right = None if note or part.argmax is None else np.asarray(part.argmax == part.truth)
    return Question(ACCURACY, part, None, np.array([]), right, note)


def management(part: Part, ak: str) -> Question:
    """Biopsy of what is malignant, none of what is benign; the model is not asked."""
    asked = malignancy(part, ak)
    return Question(MANAGEMENT, part, asked.positive, asked.codes, None, notes.NO_MODEL_ANSWER)
