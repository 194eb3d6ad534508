"""Putting a stored photo into the archive."""

from datetime import date

from skinclinic import imaging
from skinclinic.archive.models import Entry, EntryChange, Source
from skinclinic.files import store
from skinclinic.models import Clinic, Photo, User


def create_entry(
    *,
    photo: Photo,
    source: Source,
    external_id: str,
    label: str,
    user: User | None,
    action: str = EntryChange.Action.IMPORTED,
    taken_on: date | None = None,
    **fields,
) -> Entry:
    """Add a photo to the archive with its label (see ``labels``), as yet to be reviewed.

    ``fields``: any of age, subtype, icd10, impression, text, is_proven, confirmed_by. Call it in the
    transaction that stores the photo (``store_photo(together_with=…)``).
    """
    jpeg = store.read(photo.file_key)
    if taken_on is None and photo.captured_at:
        taken_on = photo.captured_at.date()
    entry = Entry.objects.create(
        clinic_id=photo.clinic_id,
        photo=photo,
        source=source,
        external_id=external_id,
        patient_id=photo.lesion.patient_id,
        patient_key=photo.lesion.patient_id or 0,
        taken_on=taken_on,
        label=label,
        content_sha256=imaging.sha256(jpeg),
        phash=imaging.perceptual_hash(jpeg),
        created_by=user,
        **fields,
    )
    EntryChange.objects.create(
        clinic_id=entry.clinic_id, entry=entry, action=action, by=user, fields={"label": ["", label]}
    )
    return entry


def is_known(clinic: Clinic | int, sha256: str) -> bool:
    """Whether the clinic has these bytes: as an upload, or as it stored and exported them."""
    return bool(which_known(clinic, [sha256]))


def which_known(clinic: Clinic | int, hashes: list[str]) -> set[str]:
    """Which of these hashes the clinic has, in the same sense: two queries for all."""
    uploads = Photo.objects.filter(clinic=clinic, sha256__in=hashes).values_list("sha256", flat=True)
    stored = Entry.objects.filter(clinic=clinic, content_sha256__in=hashes)
    return set(uploads) | set(stored.order_by().values_list("content_sha256", flat=True))
