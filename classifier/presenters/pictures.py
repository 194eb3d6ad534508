"""What pages show of a photo's picture: its covers, and the lesions in it."""

import json
import re
from dataclasses import dataclass

from django.conf import settings

from classifier.services.models import registry
from skinclinic import imaging
from skinclinic.imaging import Box, Cover
from skinclinic.models import Clinic, Photo, PhotoCover
from skinclinic.services import covering

AREA_FIELDS = ("x", "y", "width", "height", "shape")


@dataclass(frozen=True)
class LesionHere:
    """One of the lesions in a picture. ``number``: from 1, in the order they were marked."""

    number: int
    photo: Photo
    box: Box
    is_shown: bool

    @property
    def label_size(self) -> int:
        """Height of its number over the photo, in pixels of that."""
        return max(12, min(self.photo.width, self.photo.height) // 18)

    @property
    def label_x(self) -> int:
        return self.box.x + self.label_size // 4

    @property
    def label_y(self) -> int:
        """The foot of its number, which stands inside the square."""
        return self.box.y + self.label_size


def what_is_taken(clinic: Clinic) -> dict:
    """What a page that takes photos of this clinic needs to know of them."""
    return {
        "kinds": Photo.Kind.choices,
        "has_model": registry.published(clinic) is not None,
        "max_bytes": settings.UPLOAD_MAX_BYTES,
        "smallest_cover": imaging.SMALLEST_COVER,
        "most_covers": imaging.MOST_COVERS,
    }


def lesions_in(photo: Photo) -> list[LesionHere]:
    """All lesions in the picture; empty where there is one only."""
    photos = covering.same_picture(photo)
    if len(photos) < 2:
        return []
    return [LesionHere(n, one, one.box, one.pk == photo.pk) for n, one in enumerate(photos, start=1)]


def covers_of(photo: Photo) -> list[PhotoCover]:
    """Who covered how many areas when, newest first."""
    return list(photo.covers.select_related("by"))


def picture_of(photo: Photo, is_covered: bool) -> dict:
    """For the result page."""
    lesions = lesions_in(photo)
    patients = {one.photo.lesion.patient_id for one in lesions} - {None}
    return {
        "covers": covers_of(photo) if is_covered else [],
        "lesions_here": lesions,
        "lesion_number": next((one.number for one in lesions if one.is_shown), 1),
        # One picture shows one person.
        "has_two_patients": len(patients) > 1,
        "unfiled_here": [one.photo.pk for one in lesions if one.photo.lesion.patient_id is None],
    }


def cover_page(photo: Photo) -> dict:
    """For the page or dialog in which areas are drawn."""
    return {
        "photo": photo,
        "seen": covering.stand(photo),
        "reason": covering.why_not(covering.same_picture(photo)),
        "effects": covering.effects(photo),
        "covers": covers_of(photo),
        "smallest": imaging.SMALLEST_COVER,
        "most": imaging.MOST_COVERS,
    }


def square_page(photo: Photo) -> dict:
    """For the page or dialog in which the square of another lesion is chosen."""
    return {
        "photo": photo,
        "is_further": True,
        "others": [one.box for one in lesions_in(photo)] or [photo.box],
        "box": _beside(photo),
    }


def _beside(photo: Photo) -> Box:
    """Where the new square begins: in the middle, smaller than the others, so that it shows as one to be moved."""
    size = max(imaging.SMALLEST_BOX, min(photo.width, photo.height) // 3)
    return Box((photo.width - size) // 2, (photo.height - size) // 2, size)


def covered_before(sent: str, photo: Photo) -> tuple[list[Cover], str] | None:
    """(areas, hash of the file that never left the browser) of what a browser says it has covered; None for what is no
    such thing: the photo is covered as it is, and only the note of it is missing then."""
    try:
        said = json.loads(sent or "null")
        covers = imaging.check_covers(said["areas"], photo.width, photo.height)
        original = str(said.get("sha256") or "")
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    return covers, original if re.fullmatch(r"[0-9a-f]{64}", original) else ""
