"""What a visit is: one rule for the answer a lesion carries, for cases that are decided and for follow-ups."""

from collections.abc import Iterable
from datetime import date, datetime
from itertools import chain

from django.db.models import QuerySet
from django.utils import timezone

from skinclinic.models import Biopsy, Diagnosis, Lesion, Photo


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


def last_before_treatment(lesions: QuerySet[Lesion] | Iterable[int]) -> dict[int, date]:
    """The day on which each lesion last was as its pathology found it: that of its first biopsy that was no mistake, or
    that its pathology is dated to, where that is earlier. Later photos may show a wound or a scar.

    Lesions of which nobody said either are left out. Two queries for any number.
    """
    among = lesions if isinstance(lesions, QuerySet) else list(lesions)
    taken = Biopsy.objects.filter(lesion__in=among).exclude(
        ended_how__in=(Biopsy.Ended.UNDONE, Biopsy.Ended.REPLACED)
    )
    dated = Diagnosis.objects.filter(
        lesion__in=among, kind=Diagnosis.Kind.PATHOLOGY, withdrawn_at=None, diagnosed_on__isnull=False
    )
    found: dict[int, date] = {}
    days = chain(
        taken.order_by().values_list("lesion", "taken_on"),
        dated.order_by().values_list("lesion", "diagnosed_on"),
    )
    for lesion, day in days:
        # Of the dated ones none is without, which types cannot tell.
        if day is not None:
            found[lesion] = min(day, found.get(lesion, day))
    return found
