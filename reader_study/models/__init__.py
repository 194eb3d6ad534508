from .design import Allocation, StudyDesign
from .reader import Reader, ReaderGroup
from .reader_side import PracticeTry, ReaderAbout, ReaderConsent
from .reading import Answer, AnswerChange, Reading
from .reference import PanelVote
from .result import StudyResult
from .study import Study, StudyEvent, StudyImage, StudySession

__all__ = [
    "Allocation",
    "Answer",
    "AnswerChange",
    "PanelVote",
    "PracticeTry",
    "Reader",
    "ReaderAbout",
    "ReaderConsent",
    "ReaderGroup",
    "Reading",
    "Study",
    "StudyDesign",
    "StudyEvent",
    "StudyImage",
    "StudyResult",
    "StudySession",
]
