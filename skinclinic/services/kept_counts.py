"""How many rows a clinic has of what grows with its archive, told without counting them in a request.

Few are counted when somebody asks. Many are counted by a broom every ten minutes and kept with the key of the newest;
what has come since is added when somebody asks, so that only what was removed is noticed late.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Count, Max, Q, QuerySet

from skinclinic.engine import clock
from skinclinic.engine.housekeeping import now_and_then
from skinclinic.models import Clinic, KeptCount, Lesion, Patient, Photo

# A request counts as many.
FEW = 5000
EVERY_SECONDS = 600.0
PHOTOS = "photos"
PATIENTS, ARCHIVE_PATIENTS = "patients of cases", "patients of archive"
LESIONS = "lesions of cases"
CASE_PHOTOS, ARCHIVE_PHOTOS = "photos of cases", "photos of archive"

# {what: rows of all clinics}; apps add their own.
kinds: dict[str, Callable[[], QuerySet]] = {
    PHOTOS: lambda: Photo.objects.all(),
    PATIENTS: lambda: Patient.objects.filter(is_archived=False),
    ARCHIVE_PATIENTS: lambda: Patient.objects.filter(is_archived=True),
    LESIONS: lambda: Lesion.objects.filter(is_archived=False),
    CASE_PHOTOS: lambda: Photo.objects.filter(lesion__is_archived=False),
    ARCHIVE_PHOTOS: lambda: Photo.objects.filter(lesion__is_archived=True),
}


@dataclass(frozen=True)
class Counted:
    """``at``: since when what was removed is not noticed; None where all of it was counted just now."""

    count: int
    at: datetime | None = None


def of(clinic: Clinic, *whats: str) -> dict[str, Counted]:
    """How many rows the clinic has of each of ``kinds``, in their order."""
    kept = {row.what: row for row in KeptCount.objects.filter(clinic=clinic, what__in=whats)}
    return {what: _counted(_rows(clinic, what), kept.get(what)) for what in whats}


def exactly(clinic: Clinic, what: str) -> int:
    """The same to the last row, for what must not be wrong and is seldom asked."""
    return _rows(clinic, what).count()


def _rows(clinic: Clinic, what: str) -> QuerySet:
    return kinds[what]().filter(clinic=clinic).order_by()


def _counted(rows: QuerySet, kept: KeptCount | None) -> Counted:
    if kept is not None:
        return Counted(kept.count + rows.filter(pk__gt=kept.up_to).count(), kept.counted_at)
    few = rows[: FEW + 1].count()
    # More than that only until the broom has been round once.
    return Counted(few if few <= FEW else rows.count())


@now_and_then(EVERY_SECONDS)
def count_anew() -> None:
    """Count what is many, of all clinics."""
    for what, rows in kinds.items():
        at, counted = clock.now(), rows().order_by()
        # Of the whole table, so that looking for what has come since passes over nothing that was there.
        last = counted.model.objects.aggregate(last=Max("pk"))["last"] or 0
        found = counted.values("clinic").annotate(count=Count("pk", filter=Q(pk__lte=last)))
        many = [
            KeptCount(clinic_id=one["clinic"], what=what, count=one["count"], up_to=last, counted_at=at)
            for one in found
            if one["count"] > FEW
        ]
        _keep(what, many)


@transaction.atomic
def _keep(what: str, many: list[KeptCount]) -> None:
    KeptCount.objects.filter(what=what).exclude(clinic__in=[row.clinic_id for row in many]).delete()
    KeptCount.objects.bulk_create(
        many,
        update_conflicts=True,
        unique_fields=["clinic", "what"],
        update_fields=["count", "up_to", "counted_at"],
    )
