from .bulk import BulkChange, BulkMember
from .dataset import Dataset, DatasetFigures, DatasetFound, DatasetItem, DatasetMarked, DatasetVersion
from .duplicates import DuplicatePair
from .entry import LABEL_LENGTH, Entry, EntryChange, RejectReason, Review
from .imports import DatasetRole, Import, SavedMapping
from .source import PROVENANCE, Source
from .vocabulary import BackgroundDisease, Subtype

__all__ = [
    "LABEL_LENGTH",
    "PROVENANCE",
    "BackgroundDisease",
    "BulkChange",
    "BulkMember",
    "Dataset",
    "DatasetFigures",
    "DatasetFound",
    "DatasetItem",
    "DatasetMarked",
    "DatasetRole",
    "DatasetVersion",
    "DuplicatePair",
    "Entry",
    "EntryChange",
    "Import",
    "RejectReason",
    "Review",
    "SavedMapping",
    "Source",
    "Subtype",
]
