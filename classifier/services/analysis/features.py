"""Features of photos (``PhotoFeatures``): kept with the answers, and made for photos whose answers are older."""

from collections.abc import Iterable

import numpy as np

from classifier.models import Analysis, ModelVersion, PhotoFeatures
from skinclinic.models import Photo

# As they are stored.
STORED = np.dtype("<f2")


def keep(made: Iterable[tuple[Analysis, np.ndarray | None]]) -> None:
    """Store the features that came with these answers; what is there of the same square and model stays."""
    rows = [
        PhotoFeatures(
            clinic_id=row.clinic_id, photo_id=row.photo_id, model_version_id=row.model_version_id,
            box_x=row.box_x, box_y=row.box_y, box_size=row.box_size, values=found.astype(STORED).tobytes(),
        )
        for row, found in made
        if found is not None
    ]  # fmt: skip
    if rows:
        PhotoFeatures.objects.bulk_create(rows, ignore_conflicts=True)


def of_square(row: Analysis) -> np.ndarray | None:
    """The features of an analysis' square by its model, float16 [D]; None where there are none."""
    found = PhotoFeatures.objects.filter(
        photo=row.photo_id, model_version=row.model_version_id, box_x=row.box_x, box_y=row.box_y,
        box_size=row.box_size,
    )  # fmt: skip
    values = found.values_list("values", flat=True).first()
    return None if values is None else np.frombuffer(bytes(values), STORED)


def of_photo(photo: Photo, version: ModelVersion) -> np.ndarray | None:
    """The features of a photo's current square by this model, float16 [D]; None where there are none."""
    box = photo.box
    return of_square(
        Analysis(photo=photo, model_version=version, box_x=box.x, box_y=box.y, box_size=box.size)
    )


def lacking(version: ModelVersion, photos: Iterable[Photo]) -> set[int]:
    """Keys of those of the photos whose current square has no features by this model."""
    wanted = {photo.pk: photo.box for photo in photos}
    known = PhotoFeatures.objects.filter(model_version=version, photo__in=wanted).defer("values")
    return wanted.keys() - {row.photo_id for row in known if row.box == wanted[row.photo_id]}
