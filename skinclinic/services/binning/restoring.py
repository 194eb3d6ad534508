"""Getting out of the bin again what one act has put there."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from skinclinic.models import BinItem, Lesion, Patient, Photo, User
from skinclinic.services import cases, consent, kept_counts
from skinclinic.services.binning import items, places, rows
from skinclinic.services.lesions import refresh_summary
from skinclinic.services.refused import Refused

# What follows in these places is not taken back by restoring.
FOR_GOOD = {"drafts", "open_studies", "trainings", "links"}


@dataclass(frozen=True)
class Restored:
    """What came back; ``lost``: rows that did not, as what they belong to is gone. ``stays``: in words, what does not
    come back by itself."""

    item: BinItem
    lost: int = 0
    stays: list[str] = field(default_factory=list)


@transaction.atomic
def restore(item: BinItem, user: User) -> Restored:
    """Put back what the act deleted, and nothing else. Raises Gone, and Refused where something is in its way."""
    item = items.held(item)
    patients = _heirs(item)
    _require_home(item, patients)
    _require_free(item)
    homes = {key for key in (item.lesion_key,) if key}
    list(cases.hold(Lesion.objects.filter(pk__in=homes).order_by("pk")).values_list("pk"))
    stays = [effect["text"] for effect in item.effects if effect["what"] in FOR_GOOD]
    try:
        with transaction.atomic():
            back, lost = rows.put_back(item, {"skinclinic.patient": patients})
    except IntegrityError as error:
        message = _(
            "Something with the same name was stored meanwhile, such as a photo of the same source. "
            "Change or delete that first."
        )
        raise Refused("", message) from error
    lesions = {row.pk for row in back if isinstance(row, Lesion)} | homes
    photos = {row.pk for row in back if isinstance(row, Photo)}
    kept_counts.changed(item.clinic_id, [kept_counts.PHOTOS], photos, 1)
    for lesion in Lesion.objects.filter(pk__in=lesions).order_by("pk"):
        refresh_summary(lesion)
    if item.kind != BinItem.Kind.PATIENT:
        _tell(photos, lesions, user)
    places.back(photos)
    items.end(item, BinItem.Ended.RESTORED, user)
    return Restored(item, lost, stays)


def _tell(photos: set[int], lesions: set[int], user: User) -> None:
    """What repeats the facts of a photo's lesion and patient hears of it: they may have changed since, and the patient
    may not consent any more."""
    with consent.by(user):
        for photo in Photo.objects.filter(pk__in=photos):
            photo.save(update_fields=["lesion"])
        for patient in Patient.objects.filter(lesions__in=lesions).distinct() if photos else ():
            patient.save(update_fields=["sex"])


def _heirs(item: BinItem) -> dict[int, int]:
    """{patient: patient it was merged into} of those that what lies here names."""
    named: Iterable[int | None] = [
        item.patient_key,
        *item.rows.filter(model="skinclinic.lesion").values_list("data__patient", flat=True),
    ]
    heirs: dict[int, int] = {}
    merges = BinItem.objects.filter(
        clinic=item.clinic_id, kind=BinItem.Kind.MERGE, ended_how__in=("", "emptied")
    )
    for key in {key for key in named if key}:
        heir: int | None = key
        while heir and not Patient.objects.filter(pk=heir).exists():
            heir = merges.filter(key=heir).values_list("into", flat=True).first()
        if heir and heir != key:
            heirs[key] = heir
    return heirs


def _require_home(item: BinItem, heirs: dict[int, int]) -> None:
    """What it belongs to must be there. Raises Refused."""
    if item.kind == BinItem.Kind.PHOTO and item.lesion_key:
        if not Lesion.objects.filter(pk=item.lesion_key).exists():
            raise Refused(
                "", _("The lesion of this photo lies in the bin too, or is gone. Restore the lesion first.")
            )
    elif item.kind == BinItem.Kind.LESION and item.patient_key:
        owner = heirs.get(item.patient_key, item.patient_key)
        if not Patient.objects.filter(pk=owner).exists():
            raise Refused(
                "",
                _("The patient of this lesion lies in the bin too, or is gone. Restore the patient first."),
            )


def _require_free(item: BinItem) -> None:
    """What must be there once in a clinic may not have come again. Raises Refused."""
    names = {
        model: list(item.rows.filter(model=model).values_list("name", flat=True)) for model in rows.NAMES
    }
    kept = item.rows.filter(model="skinclinic.photo").values_list("data", flat=True)
    # Other lesions in the same picture are photos of the same file.
    pictures = {data["picture"] for data in kept if data.get("picture")}
    same = Photo.objects.filter(clinic=item.clinic_id, sha256__in=names["skinclinic.photo"])
    if same.exclude(picture__in=pictures).exists():
        raise Refused("", _("The same photo was stored again meanwhile. Delete that one first."))
    require_free_code(item, item.told.get("code", "") if names["skinclinic.patient"] else "")


def require_free_code(item: BinItem, code: str) -> None:
    """Raises Refused where another patient has the code."""
    if code and Patient.objects.filter(clinic=item.clinic_id, code__iexact=code).exists():
        raise Refused("", _("Another patient has the code %(code)s now. Change that first.") % {"code": code})
