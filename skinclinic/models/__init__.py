from .case_tag import CasesChange, CaseTag, LesionTag, SavedSearch
from .clinic import Clinic, Invitation, Member, Role
from .comment import Call, Comment
from .decision import PhotoDecision
from .diagnosis import Diagnosis
from .job import Job, WorkerSeen
from .lesion import Lesion
from .letter import Letter
from .patient import Patient
from .photo import Photo
from .plan import Biopsy, FollowUp
from .record_change import RecordChange
from .second_opinion import OpinionGiven, OpinionLook, SecondOpinion
from .user import User
from .words import DiagnosisWord, PhotoWord
from .work import Work, WorkState

__all__ = [
    "Biopsy",
    "Call",
    "CaseTag",
    "CasesChange",
    "Clinic",
    "Comment",
    "Diagnosis",
    "DiagnosisWord",
    "FollowUp",
    "Invitation",
    "Job",
    "Lesion",
    "LesionTag",
    "Letter",
    "Member",
    "OpinionGiven",
    "OpinionLook",
    "Patient",
    "Photo",
    "PhotoDecision",
    "PhotoWord",
    "RecordChange",
    "Role",
    "SavedSearch",
    "SecondOpinion",
    "User",
    "Work",
    "WorkState",
    "WorkerSeen",
]
