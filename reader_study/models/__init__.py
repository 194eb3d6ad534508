from .reader import Reader, ReaderGroup
from .reader_side import PracticeTry, ReaderAbout, ReaderConsent
from .reading import Answer, AnswerChange, Reading
from .result import StudyResult
from .study import Study, StudyEvent, StudyImage, StudySession

__all__ = [
    "Answer",
    "AnswerChange",
    "PracticeTry",
    "Reader",
    "ReaderAbout",
    "ReaderConsent",
    "ReaderGroup",
    "Reading",
    "Study",
    "StudyEvent",
    "StudyImage",
    "StudyResult",
    "StudySession",
]
