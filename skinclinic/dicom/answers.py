"""What is told of a model's answer in DICOM."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from skinclinic.dicom.codes import Coded

NO_DIAGNOSIS = (
    "Scores of a statistical model. They do not diagnose: a person who sees the patient does. "
    "A score is no probability of disease in this patient unless its calibration was shown here."
)


@dataclass(frozen=True)
class Answer:
    """What a model says of one square of a photo.

    ``scores``: {key of the disease: 0..1}, with their English ``names`` and the ``codes`` of those that the clinic's
    table has one of; ``square``: (x, y, size) in pixels; ``listed``: keys by the thresholds named ``thresholds`` ("":
    none); ``set_aside``: why the answer does not count, in English, or ""; ``model``: its name, ``version``: the start
    of its weights' hash; ``facts``: in English what else there is to know of it, a line each.
    """

    analysis: int
    at: datetime
    scores: Mapping[str, float]
    names: Mapping[str, str]
    codes: Mapping[str, Coded]
    square: tuple[int, int, int]
    listed: Sequence[str]
    thresholds: str
    set_aside: str
    model: str
    version: str
    facts: Sequence[str]
