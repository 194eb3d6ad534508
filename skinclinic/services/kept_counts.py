"""How many rows a clinic has of what grows with its archive, told without counting them in a request.

Few are counted when somebody asks. Many are counted by a broom every ten minutes and kept with the key of the newest;
what has come since is added when somebody asks, so that only what was changed or removed is noticed late, unless
whoever does that says so (``changed``). What is counted by its parts (photos of each source) is kept so, and of what
people go through the keys of the first are kept.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import CharField, Count, Expression, F, Max, Q, QuerySet, Value
from django.db.models.functions import Greatest

from skinclinic.engine import clock
from skinclinic.engine.housekeeping import now_and_then
from skinclinic.models import Clinic, KeptCount, Lesion, Patient, Photo

# A request counts as many.
FEW = 5000
# Of a list so many keys are kept.
LISTED = 5000
EVERY_SECONDS = 600.0
PHOTOS = "photos"
PATIENTS, ARCHIVE_PATIENTS = "patients of cases", "patients of archive"
LESIONS = "lesions of cases"
CASE_PHOTOS, ARCHIVE_PHOTOS = "photos of cases", "photos of archive"


@dataclass(frozen=True)
class Kind:
    """What is counted: ``rows`` of all clinics.

    ``by``: a field or expression whose values are the parts, known by their text. ``among``: rows of all clinics that
    the database looks through to count these, where it may be more than these. ``few``: so many of them a request looks
    through; FEW, where each costs no more than an entry of an index. ``listed_by``: the order in which people go
    through them, if they do.
    """

    rows: Callable[[], QuerySet]
    by: str | Expression = ""
    among: Callable[[], QuerySet] | None = None
    few: int | None = None
    listed_by: tuple[str, ...] = ()

    @property
    def most(self) -> int:
        """So many a request looks through."""
        return FEW if self.few is None else min(self.few, FEW)

    def of(self, clinic: Clinic) -> QuerySet:
        """The clinic's rows."""
        return self.rows().filter(clinic=clinic).order_by()


# {what: kind}; apps add their own.
kinds: dict[str, Kind] = {
    PHOTOS: Kind(lambda: Photo.objects.all()),
    PATIENTS: Kind(lambda: Patient.objects.filter(is_archived=False)),
    ARCHIVE_PATIENTS: Kind(lambda: Patient.objects.filter(is_archived=True)),
    LESIONS: Kind(lambda: Lesion.objects.filter(is_archived=False)),
    CASE_PHOTOS: Kind(lambda: Photo.objects.filter(lesion__is_archived=False)),
    ARCHIVE_PHOTOS: Kind(lambda: Photo.objects.filter(lesion__is_archived=True)),
}


@dataclass(frozen=True)
class Counted:
    """``parts``: {text of what they are counted by: how many}. ``at``: since when what was changed or removed is not
    noticed; None where all of it was counted just now."""

    count: int
    at: datetime | None = None
    parts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Listed:
    """The ``keys`` of the first of many rows in their order, as found ``at``, and then those of rows that have come
    since. Some may be none of them any more: ask for the rows themselves."""

    keys: list[int]
    at: datetime


def of(clinic: Clinic, *whats: str) -> dict[str, Counted]:
    """How many rows the clinic has of each of ``kinds``, in their order."""
    kept = {row.what: row for row in KeptCount.objects.filter(clinic=clinic, what__in=whats).defer("keys")}
    return {what: _counted(clinic, kinds[what], kept.get(what)) for what in whats}


def listed(clinic: Clinic, what: str) -> Listed | None:
    """Which rows there are, of many; None where they are to be looked for."""
    kept = KeptCount.objects.filter(clinic=clinic, what=what).first()
    if kept is None or kept.keys is None:
        return None
    new = kinds[what].of(clinic).filter(pk__gt=kept.up_to).order_by(*kinds[what].listed_by)
    return Listed([*kept.keys, *new.values_list("pk", flat=True)[:LISTED]], kept.counted_at)


def changed(clinic: Clinic | int, whats: Iterable[str], keys: Collection[int], by: int) -> None:
    """Rows of these ``keys`` are none of these no more (``by``: -1), or again (1): said in the transaction that changes
    them, where people count along or the number must be right."""
    if not keys:
        return
    counted = KeptCount.objects.select_for_update().filter(clinic=clinic, what__in=list(whats)).order_by("pk")
    for pk, up_to in counted.values_list("pk", "up_to"):
        if known := sum(key <= up_to for key in keys):
            KeptCount.objects.filter(pk=pk).update(count=Greatest(F("count") + by * known, 0))


def _counted(clinic: Clinic, kind: Kind, kept: KeptCount | None) -> Counted:
    rows = kind.of(clinic)
    if kept is not None:
        new = rows.filter(pk__gt=kept.up_to)
        if not kind.by:
            return Counted(kept.count + new.count(), kept.counted_at)
        parts = Counter(kept.parts) + Counter(_parts(new, kind))
        return Counted(sum(parts.values()), kept.counted_at, parts)
    # More than a few only until the broom has been round once.
    if kind.by:
        now = _parts(rows, kind)
        return Counted(sum(now.values()), parts=now)
    few = rows[: kind.most + 1].count()
    return Counted(few if few <= kind.most else rows.count())


def _parts(rows: QuerySet, kind: Kind) -> dict[str, int]:
    counts = rows.annotate(part=_part(kind)).values_list("part").annotate(count=Count("pk"))
    return {str(part): count for part, count in counts}


def _part(kind: Kind) -> Any:
    if not kind.by:
        return Value("", CharField())
    return F(kind.by) if isinstance(kind.by, str) else kind.by


@now_and_then(EVERY_SECONDS)
def count_anew() -> None:
    """Count what is many, of all clinics."""
    for what, kind in kinds.items():
        at, rows = clock.now(), kind.rows().order_by()
        before = dict(KeptCount.objects.filter(what=what).values_list("clinic", "count"))
        # Of the whole table, so that looking for what has come since passes over nothing that was there.
        last = rows.model.objects.aggregate(last=Max("pk"))["last"] or 0
        there = Count("pk", filter=Q(pk__lte=last))
        found: dict[int, dict[str, int]] = defaultdict(dict)
        counts = rows.annotate(part=_part(kind)).values_list("clinic", "part").annotate(count=there)
        for clinic, part, count in counts:
            if count:
                found[clinic][str(part)] = count
        many = [
            KeptCount(
                clinic_id=clinic, what=what, count=sum(found[clinic].values()), up_to=last, counted_at=at,
                parts=found[clinic] if kind.by else None, keys=_keys(kind, clinic, last),
            )
            for clinic in _large(kind, found)
        ]  # fmt: skip
        _keep(what, many, before)


def _large(kind: Kind, found: Mapping[int, Mapping[str, int]]) -> list[int]:
    """Clinics of which a request would look through too many."""
    if kind.among is None:
        return [clinic for clinic, parts in found.items() if sum(parts.values()) > kind.most]
    counts = kind.among().order_by().values_list("clinic").annotate(n=Count("pk"))
    return [clinic for clinic, count in counts if count > kind.most]


def _keys(kind: Kind, clinic: int, last: int) -> list[int] | None:
    if not kind.listed_by:
        return None
    rows = kind.rows().filter(clinic=clinic, pk__lte=last)
    return list(rows.order_by(*kind.listed_by).values_list("pk", flat=True)[:LISTED])


@transaction.atomic
def _keep(what: str, many: list[KeptCount], before: Mapping[int, int]) -> None:
    """``before``: {clinic: what was kept when the counting began}."""
    KeptCount.objects.filter(what=what).exclude(clinic__in=[row.clinic_id for row in many]).delete()
    held = KeptCount.objects.select_for_update().filter(what=what).order_by("pk")
    now = dict(held.values_list("clinic", "count"))
    # Whether a change that was told of meanwhile is among what was counted nobody knows: it stands as it is, until the
    # next time.
    KeptCount.objects.bulk_create(
        [row for row in many if now.get(row.clinic_id) == before.get(row.clinic_id)],
        update_conflicts=True,
        unique_fields=["clinic", "what"],
        update_fields=["count", "up_to", "parts", "keys", "counted_at"],
    )
