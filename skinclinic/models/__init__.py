from .clinic import Clinic, Invitation, Member, Role
from .diagnosis import Diagnosis
from .job import Job, WorkerSeen
from .lesion import Lesion
from .letter import Letter
from .patient import Patient
from .photo import Photo
from .record_change import RecordChange
from .user import User
from .work import Work, WorkState

__all__ = [
    "Clinic",
    "Diagnosis",
    "Invitation",
    "Job",
    "Lesion",
    "Letter",
    "Member",
    "Patient",
    "Photo",
    "RecordChange",
    "Role",
    "User",
    "Work",
    "WorkState",
    "WorkerSeen",
]
