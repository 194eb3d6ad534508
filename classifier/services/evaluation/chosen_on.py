"""The photos that the thresholds of a set were chosen on, and whether others are of the same patients or lesions."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from classifier.models import ThresholdSet
from classifier.services.evaluation import evaluations
from skinclinic.archive.models import DatasetVersion

if TYPE_CHECKING:
    from classifier.services.evaluation.units import Photos


@dataclass(frozen=True)
class Calibration:
    """What the photos of a set's dataset are known by. ``is_known``: false where the dataset is there no more."""

    is_known: bool
    contents: frozenset[str] = frozenset()
    persons: frozenset[str] = frozenset()
    lesions: frozenset[str] = frozenset()

    @classmethod
    def of(cls, chosen: ThresholdSet) -> "Calibration":
        """Of a set that a clinic has made."""
        version = made_from(chosen)
        return cls(False) if version is None else cls.of_version(version)

    @classmethod
    def of_version(cls, version: DatasetVersion) -> "Calibration":
        """Of what is evaluated of a dataset version."""
        rows = evaluations.test_items(version).order_by()
        names = list(rows.values_list("content_sha256", "person", "lesion").distinct())
        contents, persons, lesions = (frozenset(filter(None, (row[at] for row in names))) for at in range(3))
        return cls(True, contents, persons, lesions)

    def holds(self, photos: "Photos") -> np.ndarray:
        """Which photos [n] it has, or has others of the patient or lesion."""
        columns = (photos.contents.tolist(), photos.persons.tolist(), photos.lesions.tolist())
        return np.array([self.holds_one(*row) for row in zip(*columns, strict=True)], bool)

    def holds_one(self, content: str, person: str, lesion: str) -> bool:
        """Whether it has this photo, or another of its patient or lesion."""
        return content in self.contents or person in self.persons or lesion in self.lesions


def made_from(chosen: ThresholdSet) -> DatasetVersion | None:
    """The dataset version that a set was made from; None where it is there no more."""
    sha256 = chosen.details.get("dataset_sha256")
    return DatasetVersion.objects.filter(clinic=chosen.clinic_id, sha256=sha256).first() if sha256 else None
