"""Whom the endpoints of a record have counted, wherever their lesions, pathologies and photos lie now.

Photos that are filed into another lesion take the pathology along and may leave no lesion behind; what goes to the bin
comes back under its keys. So a row is followed by each of its ways, and by its patient where all of these are gone.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from django.db.models import OuterRef, QuerySet, Subquery

from classifier.models import Monitor, MonitorCase
from classifier.services.following.cases import Told, unit_of
from classifier.services.following.rules import OF_PHOTOS
from skinclinic.models import Diagnosis, Lesion, Photo, User
from skinclinic.services.binning import places
from skinclinic.services.binning.places import Photos
from skinclinic.services.consent import Effect

_WAYS = ("proof__lesion", "photo__lesion", "lesion")
_AT_ONCE = 500


@dataclass
class Counted:
    """Of one endpoint: keys of the lesions in which lies what was counted, and whose these are (``cases.unit_of``)."""

    lesions: set[int] = field(default_factory=set)
    units: set[tuple[str, int]] = field(default_factory=set)


def of(rows: QuerySet[MonitorCase]) -> defaultdict[str, Counted]:
    """By endpoint. Whose each is now is noted in the rows, for when nothing else leads there."""
    found: defaultdict[str, Counted] = defaultdict(Counted)
    changed = []
    columns = [column for way in _WAYS for column in (way, f"{way}__patient")]
    for pk, endpoint, patient, *ways in rows.order_by().values_list("pk", "endpoint", "patient", *columns):
        there = {lesion: whose for lesion, whose in zip(ways[::2], ways[1::2], strict=True) if lesion}
        found[endpoint].lesions.update(there)
        found[endpoint].units.update(unit_of(lesion, whose) for lesion, whose in there.items())
        whose = next(filter(None, there.values()), None)
        if there and whose != patient:
            changed.append(MonitorCase(pk=pk, patient_id=whose))
        elif not there and patient is not None:
            found[endpoint].units.add(("patient", patient))
    MonitorCase.objects.bulk_update(changed, ["patient"], batch_size=_AT_ONCE)
    return found


def row_of(row: Monitor, endpoint: str, one: Told) -> MonitorCase:
    """What is kept of one that is counted now, not stored yet."""
    kind, key = one.unit
    return MonitorCase(
        clinic_id=row.clinic_id, monitor=row, endpoint=endpoint, lesion_id=one.lesion, hit=one.hit,
        patient_id=key if kind == "patient" else None, **{_source(endpoint): one.source},
    )  # fmt: skip


def complete(row: Monitor) -> None:
    """Note of rows from before that was done what their lesions are followed by (any photo does), and whose."""
    bare = row.cases.filter(proof=None, photo=None, lesion__isnull=False).order_by()
    here = OuterRef("lesion")
    proofs = Diagnosis.objects.filter(lesion=here, kind=Diagnosis.Kind.PATHOLOGY).order_by("created_at", "pk")
    photos = Photo.objects.filter(lesion=here).order_by("pk")
    whose = Subquery(Lesion.objects.filter(pk=here).values("patient")[:1])
    of_photos = bare.filter(endpoint__in=OF_PHOTOS)
    of_photos.update(photo=Subquery(photos.values("pk")[:1]), patient=whose)
    bare.exclude(endpoint__in=OF_PHOTOS).update(proof=Subquery(proofs.values("pk")[:1]), patient=whose)


@places.on_bin
def note_whose(photos: Photos, _user: User, act: bool) -> Iterator[Effect]:
    """Whose lesions are that go to the bin, for as long as they lie there."""
    for way in _WAYS if act else ():
        of(MonitorCase.objects.filter(**{f"{way}__photos__in": photos}).distinct())
    yield from ()


def _source(endpoint: str) -> str:
    return "photo_id" if endpoint in OF_PHOTOS else "proof_id"
