from .clinic import Clinic, Invitation, Member, Role
from .diagnosis import Diagnosis
from .job import Job, WorkerSeen
from .lesion import Lesion
from .letter import Letter
from .patient import Patient
from .photo import Photo
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
    "Role",
    "User",
    "Work",
    "WorkState",
    "WorkerSeen",
]
