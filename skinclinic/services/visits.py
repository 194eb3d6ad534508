"""What a visit is: one rule for the answer a lesion carries, for cases that are decided and for follow-ups."""

from collections.abc import Iterable
from datetime import date, datetime

from django.utils import timezone

from skinclinic.models import Photo


def day_of(captured_at: datetime | None, created_at: datetime) -> date:
    """The day of the visit a photo is of; photos of one day are of one visit.

    It is the day that the camera's clock or a person says the photo was taken, so that photos stored in the evening of
    the next day stay with their visit; without one, the day it was stored. No photo is taken after it was stored: a
    clock that is ahead counts for nothing. A clock that is behind cannot be told from an old photo, and is believed;
    a photo that was stored last therefore asks for a decision whatever day it names (``cases``).
    """
    stored = timezone.localdate(created_at)
    return min(timezone.localdate(captured_at), stored) if captured_at else stored


def last_of(lesion_ids: Iterable[int]) -> dict[int, date]:
    """The day of the last photo of each lesion that has one. One query for any number."""
    rows = Photo.objects.filter(lesion__in=list(lesion_ids)).order_by()
    found: dict[int, date] = {}
    for lesion, captured_at, created_at in rows.values_list("lesion", "captured_at", "created_at"):
        day = day_of(captured_at, created_at)
        found[lesion] = max(day, found.get(lesion, day))
    return found
