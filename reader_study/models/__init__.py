from .reader import Reader, ReaderGroup
from .reading import Answer, AnswerChange, Reading
from .result import StudyResult
from .study import Study, StudyEvent, StudyImage, StudySession

__all__ = [
    "Answer",
    "AnswerChange",
    "Reader",
    "ReaderGroup",
    "Reading",
    "Study",
    "StudyEvent",
    "StudyImage",
    "StudyResult",
    "StudySession",
]
