"""Putting a stored photo into the archive."""

from dataclasses import dataclass
from datetime import date

from django.db.models import Q

from skinclinic import imaging
from skinclinic.archive.models import Entry, EntryChange, Source
from skinclinic.files import store
from skinclinic.models import Clinic, Photo, PhotoCover, User
from skinclinic.services.binning.taken import hashes_in_bin


@dataclass(frozen=True)
class Content:
    """What an entry keeps of its stored photo: its hash and, to find photos that look alike, its likeness.

    Both take the whole file: they are computed before the transaction that stores the entry.
    """

    sha256: str
    phash: int

    @classmethod
    def of(cls, jpeg: bytes) -> "Content":
        return cls(imaging.sha256(jpeg), imaging.perceptual_hash(jpeg))

    @classmethod
    def of_stored(cls, photo: Photo) -> "Content":
        """Raises OSError for a photo whose file is gone."""
        return cls.of(store.read(photo.file_key))


def create_entry(
    *,
    photo: Photo,
    content: Content,
    source: Source,
    external_id: str,
    label: str,
    user: User | None,
    action: str = EntryChange.Action.IMPORTED,
    taken_on: date | None = None,
    **fields,
) -> Entry:
    """Add a photo to the archive with its label (see ``labels``), as yet to be reviewed.

    ``fields``: any other fields of an entry, such as age, sex, site, subtype, icd10, is_proven. Call it in the
    transaction that stores the photo.
    """
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
        content_sha256=content.sha256,
        phash=content.phash,
        created_by=user,
        **fields,
    )
    EntryChange.objects.create(
        clinic_id=entry.clinic_id, entry=entry, action=action, by=user, of_import=entry.of_import,
        fields={"label": ["", label]},
    )  # fmt: skip
    return entry


def is_known(clinic: Clinic | int, sha256: str) -> bool:
    """Whether the clinic has these bytes: as an upload, or as it stored and exported them."""
    return bool(which_known(clinic, [sha256]))


def which_known(clinic: Clinic | int, hashes: list[str]) -> set[str]:
    """Which of these hashes the clinic has, in the same sense or in the bin: three queries for all."""
    uploads = Photo.objects.filter(clinic=clinic, sha256__in=hashes).values_list("sha256", flat=True)
    stored = Entry.objects.filter(clinic=clinic, content_sha256__in=hashes)
    # A copy of what was stored before it was covered must not come back as another photo.
    covered = PhotoCover.objects.filter(clinic=clinic, content_sha256__in=hashes)
    return hashes_in_bin(clinic, hashes).union(
        uploads, *(rows.order_by().values_list("content_sha256", flat=True) for rows in (stored, covered))
    )


def labels_known(clinic: Clinic | int, hashes: list[str]) -> dict[str, str]:
    """{hash: its label in the archive, "" for a photo that is in none} of those that the clinic has."""
    found = dict.fromkeys(which_known(clinic, hashes), "")
    if found:
        there = Entry.objects.filter(Q(photo__sha256__in=found) | Q(content_sha256__in=found), clinic=clinic)
        for upload, content, label in there.order_by().values_list(
            "photo__sha256", "content_sha256", "label"
        ):
            found |= {sha256: label for sha256 in (upload, content) if sha256 in found}
    return found
