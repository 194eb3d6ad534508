from .design import Allocation, StudyDesign
from .reader import Reader, ReaderGroup
from .reading import Answer, AnswerChange, Reading
from .reference import PanelVote
from .result import StudyResult
from .study import Study, StudyEvent, StudyImage, StudySession

__all__ = [
    "Allocation",
    "Answer",
    "AnswerChange",
    "PanelVote",
    "Reader",
    "ReaderGroup",
    "Reading",
    "Study",
    "StudyDesign",
    "StudyEvent",
    "StudyImage",
    "StudyResult",
    "StudySession",
]
