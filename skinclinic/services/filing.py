"""Filing photos that came before their patient, and taking it back.

An unfiled photo lies in a lesion of its own. Filing gives that lesion its patient, or moves the photo (with
the diagnoses made on it) into another lesion and removes the one left empty.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time

from django.db import transaction
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from skinclinic.models import Diagnosis, Lesion, Patient, Photo, RecordChange, User
from skinclinic.services import belongings, cases
from skinclinic.services.lesions import refresh_summary

NOON = time(12)
REMEMBERED = (
    "id",
    "patient_id",
    "site",
    "site_x",
    "site_y",
    "note",
    "created_at",
    "created_by_id",
    "assignee_id",
)


class TwoPathologies(Exception):
    """Lesions that both have a pathology cannot become one; withdraw one diagnosis first."""


class MovedOn(Exception):
    """What was filed has been changed since; it is not undone."""


@dataclass(frozen=True)
class Place:
    """Where a new lesion lies."""

    site: str = ""
    site_x: float | None = None
    site_y: float | None = None


@dataclass(frozen=True)
class Details(Place):
    """What is filed beside the patient: the place of a new lesion (``places``: by photo, where each has its own), and
    kind ("": as it is) and day of the photos. With ``keep_day`` an empty day leaves what each photo has; else it
    empties it."""

    places: Mapping[int, Place] = field(default_factory=dict)
    kind: str = ""
    captured_on: date | None = None
    keep_day: bool = False


@transaction.atomic
def file_photos(
    photos: Sequence[Photo],
    *,
    user: User,
    patient: Patient,
    lesion: Lesion | None = None,
    apart: bool = False,
    details: Details,
    new_patient: bool = False,
) -> dict:
    """File the photos under the patient: into ``lesion`` of the patient, else into one new lesion, or with
    ``apart`` into one for each photo. Raises TwoPathologies.

    Returns a receipt for ``undo`` (plain JSON); ``new_patient`` says that undoing removes the patient too.
    """
    touched = _hold(photos, lesion)
    receipt = _receipt(photos, touched, patient, new_patient)
    groups = [[photo] for photo in photos] if apart and lesion is None else [list(photos)]
    home_of = {}
    for group in groups:
        home = touched[lesion.pk] if lesion else _own_lesion(group, touched, patient, user, details)
        for photo in group:
            home_of[photo.lesion_id] = home
            photo.lesion = home
            _set_details(photo, details)
    for source in touched.values():
        _leave(source, home_of.get(source.pk, source))
    for home in {row.pk: row for row in home_of.values()}.values():
        refresh_summary(home)
    receipt["after"] = {str(photo.pk): photo.lesion_id for photo in photos}
    return receipt


@transaction.atomic
def undo(receipt: dict) -> list[Photo]:
    """Put everything back as the receipt says; return the photos. Raises MovedOn."""
    # In the order of everybody: lesions first, by key.
    held = {*receipt["after"].values(), *(row["id"] for row in receipt["lesions"])}
    list(cases.hold(Lesion.objects.filter(pk__in=held).order_by("pk"), to_remove=True).values_list("pk"))
    photos = Photo.objects.in_bulk([row["id"] for row in receipt["photos"]])
    if {str(pk): photo.lesion_id for pk, photo in photos.items()} != receipt["after"]:
        raise MovedOn
    patients = {row["patient_id"] for row in receipt["lesions"] if row["patient_id"]}
    if Patient.objects.filter(pk__in=patients).count() != len(patients):
        # Deleted, or made one with another.
        raise MovedOn
    homes = {photo.lesion for photo in photos.values()}
    lesions = {row["id"]: _restored(row, receipt["clinic"]) for row in receipt["lesions"]}
    for row in receipt["photos"]:
        photo = photos[row["id"]]
        photo.lesion, photo.kind = lesions[row["lesion"]], row["kind"]
        photo.captured_at = parse_datetime(row["captured_at"]) if row["captured_at"] else None
        photo.captured_offset = row.get("captured_offset")
        photo.save(update_fields=["lesion", "kind", "captured_at", "captured_offset"])
    for row in receipt["diagnoses"]:
        Diagnosis.objects.filter(pk=row["id"]).update(lesion=lesions[row["lesion"]])
    belongings.put_back(receipt, lesions)
    for home in homes:
        if home.pk not in {row.pk for row in lesions.values()}:
            _leave(home, home)
    for lesion in lesions.values():
        refresh_summary(lesion)
    if receipt["new_patient"]:
        # What somebody wrote of the patient meanwhile keeps the patient.
        unused = {"lesions": None, "notes": None, "documents": None, "former_codes": None}
        told = RecordChange.objects.filter(patient=receipt["new_patient"])
        if not told.exclude(fields__has_key="research_consent").exists():
            Patient.objects.filter(pk=receipt["new_patient"], **unused).delete()
    return [photos[row["id"]] for row in receipt["photos"]]


def _hold(photos: Sequence[Photo], lesion: Lesion | None) -> dict[int, Lesion]:
    """Lock the lesions in which the photos lie now and the one they go to; let the photos know where they lie."""
    rows = Photo.objects.filter(pk__in=[photo.pk for photo in photos])
    while True:
        now = dict(rows.values_list("pk", "lesion"))
        before = transaction.savepoint()
        wanted = {*now.values(), *([lesion.pk] if lesion else [])}
        held = cases.hold(Lesion.objects.filter(pk__in=wanted).order_by("pk"), to_remove=True)
        touched = {row.pk: row for row in held}
        if dict(rows.values_list("pk", "lesion")) == now:
            break
        # Somebody filed them elsewhere while this waited.
        transaction.savepoint_rollback(before)
    transaction.savepoint_commit(before)
    for photo in photos:
        if photo.pk in now:
            photo.lesion = touched[now[photo.pk]]
    return touched


def _own_lesion(
    group: Sequence[Photo], touched: dict[int, Lesion], patient: Patient, user: User, details: Details
) -> Lesion:
    """The lesion of the group's first photo if it holds nothing else, or a new one; given to the patient."""
    lesion = touched[group[0].lesion_id]
    if lesion.photos.exclude(pk__in=[photo.pk for photo in group]).exists():
        lesion = Lesion(clinic=patient.clinic, created_by=user)
    place = details.places.get(group[0].pk, details)
    lesion.patient = patient
    lesion.site, lesion.site_x, lesion.site_y = place.site, place.site_x, place.site_y
    if lesion.pk:
        lesion.save(update_fields=["patient", "site", "site_x", "site_y"])
    else:
        lesion.save()
    return lesion


def _set_details(photo: Photo, details: Details) -> None:
    photo.kind = details.kind or photo.kind
    day = details.captured_on
    if day is None and not details.keep_day:
        photo.captured_at = photo.captured_offset = None
    elif day and not (photo.captured_at and timezone.localtime(photo.captured_at).date() == day):
        photo.captured_at, photo.captured_offset = timezone.make_aware(datetime.combine(day, NOON)), None
    photo.save(update_fields=["lesion", "kind", "captured_at", "captured_offset"])


def _leave(source: Lesion, home: Lesion) -> None:
    """Bring a lesion that photos left up to date; one without photos hands its diagnoses to ``home``."""
    if source.photos.exists():
        refresh_summary(source)
        return
    pathology = Diagnosis.objects.filter(kind=Diagnosis.Kind.PATHOLOGY, withdrawn_at=None)
    if home.pk != source.pk:
        if pathology.filter(lesion=source).exists() and pathology.filter(lesion=home).exists():
            raise TwoPathologies
        source.diagnoses.update(lesion=home)
        belongings.hand_over(source, home)
    if source.diagnoses.exists() or belongings.any_of(source):
        refresh_summary(source)
    else:
        source.delete()


def _receipt(
    photos: Sequence[Photo], lesions: dict[int, Lesion], patient: Patient, new_patient: bool
) -> dict:
    return {
        "clinic": patient.clinic_id,
        "code": patient.code,
        "patient": patient.pk,
        "new_patient": patient.pk if new_patient else None,
        "photos": [
            {
                "id": photo.pk,
                "lesion": photo.lesion_id,
                "kind": photo.kind,
                "captured_at": _text(photo.captured_at),
                "captured_offset": photo.captured_offset,
            }
            for photo in photos
        ],
        "lesions": [
            {name: getattr(lesion, name) for name in REMEMBERED} | {"created_at": _text(lesion.created_at)}
            for lesion in lesions.values()
        ],
        **belongings.places(lesions),
        "diagnoses": [
            {"id": pk, "lesion": lesion}
            for pk, lesion in Diagnosis.objects.filter(lesion__in=lesions).values_list("pk", "lesion")
        ],
    }


def _restored(row: dict, clinic_id: int) -> Lesion:
    """The lesion as it was; made again if filing had removed it."""
    opened = parse_datetime(row["created_at"])
    fields = {name: row[name] for name in REMEMBERED if name not in ("id", "created_at")}
    lesion = Lesion.objects.filter(pk=row["id"]).first() or Lesion.objects.create(
        clinic_id=clinic_id, **fields
    )
    Lesion.objects.filter(pk=lesion.pk).update(created_at=opened, **fields)
    return lesion


def _text(moment: datetime | None) -> str:
    return moment.isoformat() if moment else ""
