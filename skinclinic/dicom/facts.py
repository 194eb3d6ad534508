"""What is told of a photo in DICOM: never more than the product holds of a patient, who is a code."""

import uuid
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from skinclinic.dicom.codes import Coded

if TYPE_CHECKING:
    from pydicom.uid import UID

CLOSE_UP, OVERVIEW, DERMOSCOPIC = "close_up", "overview", "dermoscopic"
SEX = {"female": "F", "male": "M", "other": "O"}


@dataclass(frozen=True)
class PhotoFacts:
    """A stored photo as its rows tell it. ``namespace``: the clinic's, from which all UIDs are made; ``jpeg``: the
    stored bytes (baseline, sRGB); ``day``: that of the visit; ``site``: a key of
    ``vocabulary/sites.py`` with its English name; ``site_code``, ``procedure_code``: as the clinic's table of codes has
    them; ``laterality``: "L", "R" or ""; ``age`` in years on that day."""

    namespace: uuid.UUID
    clinic: str
    patient: int | None
    patient_code: str
    sex: str
    age: int | None
    lesion: int
    photo: int
    kind: str
    site: str
    site_name: str
    site_code: Coded | None
    procedure_code: Coded | None
    laterality: str
    day: date
    taken: datetime | None
    offset: int | None
    jpeg: bytes
    is_covered: bool
    is_synthetic: bool
    software: str

    @property
    def is_dermoscopic(self) -> bool:
        return self.kind == DERMOSCOPIC

    def uid(self, *parts: object) -> "UID":
        """A UID that is the same whenever it is made of the same parts, and in no other installation: a UUID by name,
        below 2.25 (PS3.5 B.2)."""
        # Most processes make none.
        from pydicom.uid import UID

        return UID(f"2.25.{uuid.uuid5(self.namespace, '/'.join(map(str, parts))).int}")

    @property
    def study(self) -> "UID":
        """All photos of a patient on one day; of a lesion without a patient, its own."""
        whose = f"patient-{self.patient}" if self.patient else f"lesion-{self.lesion}"
        return self.uid("study", whose, self.day.isoformat())

    @property
    def lesion_uid(self) -> "UID":
        return self.uid("lesion", self.lesion)

    def series(self, what: str) -> "UID":
        """Those of one lesion and one kind in the study."""
        return self.uid("series", self.study, self.lesion, what)
