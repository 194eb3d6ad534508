from .clinic import Clinic, Invitation, Member, Role
from .decision import PhotoDecision
from .diagnosis import Diagnosis
from .job import Job, WorkerSeen
from .lesion import Lesion
from .letter import Letter
from .patient import Patient
from .photo import Photo
from .plan import Biopsy, FollowUp
from .record_change import RecordChange
from .size import PatientSize, PhotoScale, PhotoSize
from .user import User
from .words import DiagnosisWord, PhotoWord
from .work import Work, WorkState

__all__ = [
    "Biopsy",
    "Clinic",
    "Diagnosis",
    "DiagnosisWord",
    "FollowUp",
    "Invitation",
    "Job",
    "Lesion",
    "Letter",
    "Member",
    "Patient",
    "PatientSize",
    "Photo",
    "PhotoDecision",
    "PhotoScale",
    "PhotoSize",
    "PhotoWord",
    "RecordChange",
    "Role",
    "User",
    "Work",
    "WorkState",
    "WorkerSeen",
]
