"""Where photos stood when the filing form was opened, and which of them somebody else has filed or moved since."""

from collections.abc import Mapping, Sequence
from typing import Any

from skinclinic.models import Lesion, Photo
from skinclinic.services.records import plain


class FiledMeanwhile(Exception):
    """Some of the photos are not where the form showed them; nothing was filed."""

    def __init__(self, photos: list[Photo]):
        super().__init__()
        self.photos = photos


def places(photos: Sequence[Photo]) -> dict[str, list]:
    """What the form overwrites of each photo, JSON-safe: lesion, patient, site, kind, date."""
    return {
        str(photo.pk): [
            photo.lesion_id, photo.lesion.patient_id, photo.lesion.site, photo.lesion.site_x, photo.lesion.site_y,
            photo.kind, plain(photo.captured_at),
        ]
        for photo in photos
    }  # fmt: skip


def require_seen(photos: Sequence[Photo], seen: Mapping[str, Any] | None) -> None:
    """Raise FiledMeanwhile for photos that stand elsewhere now; in the transaction that files them, and their
    lesions are held until its end. ``seen``: what ``places`` said; None: not known."""
    if seen is None:
        return
    list(Lesion.objects.select_for_update().filter(photos__in=[photo.pk for photo in photos]).order_by("pk"))
    keys = [photo.pk for photo in photos]
    now = Photo.objects.filter(pk__in=keys).select_related("lesion__patient", "clinic").order_by("pk")
    moved = [photo for photo in now if seen.get(str(photo.pk)) != places([photo])[str(photo.pk)]]
    if moved:
        raise FiledMeanwhile(moved)
