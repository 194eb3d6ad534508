"""Storing, cropping, filing and deleting photos."""

from datetime import UTC

from django.db import IntegrityError, transaction

from skinclinic import imaging
from skinclinic.models import Clinic, Lesion, Patient, Photo, User
from skinclinic.services import files
from skinclinic.services.lesions import refresh_summary


def store_photo(
    *,
    clinic: Clinic,
    user: User | None,
    data: bytes,
    name: str,
    lesion: Lesion | None = None,
    kind: str = Photo.Kind.CLOSE_UP,
    is_synthetic: bool = False,
) -> tuple[Photo, bool]:
    """Check, clean and store an uploaded file; return the photo and whether it is new in this clinic.

    Without a lesion the photo opens one of its own, to be filed under a patient later. Raises
    imaging.PhotoRejected for a file that is no usable photo and files.StorageFull for a full disk; in both
    cases nothing is stored.
    """
    if known := Photo.objects.filter(clinic=clinic, sha256=imaging.sha256(data)).first():
        return known, False
    accepted = imaging.accept(data)
    keys = _write(clinic, accepted)
    try:
        with transaction.atomic():
            if lesion is None:
                lesion = Lesion.objects.create(clinic=clinic, created_by=user)
            captured_at = accepted.captured_at
            photo = Photo.objects.create(
                clinic=clinic,
                lesion=lesion,
                kind=kind,
                captured_at=captured_at.replace(tzinfo=UTC) if captured_at else None,
                original_name=shown_name(name),
                sha256=accepted.sha256,
                file_key=keys[0],
                thumbnail_key=keys[1],
                width=accepted.width,
                height=accepted.height,
                source_format=accepted.source_format,
                notes=list(accepted.notes),
                is_synthetic=is_synthetic,
                uploaded_by=user,
            )
            refresh_summary(lesion)
    except IntegrityError:
        files.delete(*keys)
        return Photo.objects.get(clinic=clinic, sha256=accepted.sha256), False
    except BaseException:
        files.delete(*keys)
        raise
    return photo, True


def _write(clinic: Clinic, accepted: imaging.AcceptedPhoto) -> tuple[str, str]:
    folder = f"clinic-{clinic.pk}"
    photo_key = files.save(folder, accepted.jpeg)
    try:
        return photo_key, files.save(folder, accepted.thumbnail)
    except files.StorageFull:
        files.delete(photo_key)
        raise


def shown_name(name: str) -> str:
    """An uploaded file's name as text to show: no folders, no control or direction marks, 200 characters."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(character for character in last if character.isprintable())[-200:]


def set_box(photo: Photo, box: imaging.Box) -> None:
    """Choose the square that is analysed, in pixels of the stored photo. Raises imaging.BoxRejected."""
    box = imaging.check_box(box, photo.width, photo.height)
    photo.box_x, photo.box_y, photo.box_size = box.x, box.y, box.size
    photo.save(update_fields=["box_x", "box_y", "box_size"])


@transaction.atomic
def file_photo(photo: Photo, *, patient: Patient, lesion: Lesion | None, site: str = "") -> Lesion:
    """File a photo under a patient: into one of the patient's lesions, or with its own lesion.

    A lesion left without photos and diagnoses is removed.
    """
    old = photo.lesion
    if lesion is None or lesion.pk == old.pk:
        old.patient = patient
        if site:
            old.site = site
        old.save(update_fields=["patient", "site"])
        return old
    photo.lesion = lesion
    photo.save(update_fields=["lesion"])
    refresh_summary(lesion)
    if old.photos.exists() or old.diagnoses.exists():
        refresh_summary(old)
    else:
        old.delete()
    return lesion


def delete_photo(photo: Photo) -> None:
    """Delete a photo with its files and analyses, and its lesion if that is left empty and unfiled."""
    lesion, keys = photo.lesion, (photo.file_key, photo.thumbnail_key)
    with transaction.atomic():
        photo.delete()
        if lesion.patient is None and not lesion.photos.exists() and not lesion.diagnoses.exists():
            lesion.delete()
        else:
            refresh_summary(lesion)
        transaction.on_commit(lambda: files.delete(*keys))
