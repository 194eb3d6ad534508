from .attempt import Attempt
from .audit import AuditEvent, AuditHead
from .bin import BinItem, BinnedRow, FormerCode
from .case_tag import CasesChange, CaseTag, LesionTag, SavedSearch
from .clinic import Clinic, Invitation, Member, Role
from .clinic_code import ClinicCode
from .comment import Call, Comment
from .decision import PhotoDecision
from .diagnosis import Diagnosis
from .dicom import ImageArchive, ImageSending
from .document import Document
from .erasure import Erasure, Retention
from .file_note import FileNote
from .job import Job, WorkerSeen
from .kept_count import KeptCount
from .lesion import Lesion
from .letter import Letter
from .patient import Patient
from .photo import Photo
from .photo_cover import PhotoCover
from .plan import Biopsy, FollowUp
from .record_change import RecordChange
from .record_system import RecordSystem
from .repeated import RepeatedRequest
from .second_opinion import OpinionGiven, OpinionLook, SecondOpinion
from .session import Session
from .sign_in import PasswordLink, SignInCount
from .size import PatientSize, PhotoScale, PhotoSize
from .token import ApiToken
from .user import User
from .visit import Note, Symptoms
from .webhook import Webhook, WebhookMessage
from .words import DiagnosisWord, NoteWord, PhotoWord
from .work import Work, WorkState

__all__ = [
    "ApiToken",
    "Attempt",
    "AuditEvent",
    "AuditHead",
    "BinItem",
    "BinnedRow",
    "Biopsy",
    "Call",
    "CaseTag",
    "CasesChange",
    "Clinic",
    "ClinicCode",
    "Comment",
    "Diagnosis",
    "DiagnosisWord",
    "Document",
    "Erasure",
    "FileNote",
    "FollowUp",
    "FormerCode",
    "ImageArchive",
    "ImageSending",
    "Invitation",
    "Job",
    "KeptCount",
    "Lesion",
    "LesionTag",
    "Letter",
    "Member",
    "Note",
    "NoteWord",
    "OpinionGiven",
    "OpinionLook",
    "PasswordLink",
    "Patient",
    "PatientSize",
    "Photo",
    "PhotoCover",
    "PhotoDecision",
    "PhotoScale",
    "PhotoSize",
    "PhotoWord",
    "RecordChange",
    "RecordSystem",
    "RepeatedRequest",
    "Retention",
    "Role",
    "SavedSearch",
    "SecondOpinion",
    "Session",
    "SignInCount",
    "Symptoms",
    "User",
    "Webhook",
    "WebhookMessage",
    "Work",
    "WorkState",
    "WorkerSeen",
]
