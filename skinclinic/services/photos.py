"""Storing, cropping and deleting photos."""

import logging
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from skinclinic import imaging
from skinclinic.files import store
from skinclinic.files.notes import NoteGone, noted
from skinclinic.models import Clinic, Lesion, Photo, User
from skinclinic.services import audit, belongings, decoding, kept_counts, lost_files, quotas
from skinclinic.services.binning.taken import hashes_in_bin
from skinclinic.services.cases import hold, hold_lesion_of
from skinclinic.services.identifying import kept_file_name
from skinclinic.services.lesions import begin_summary, photos_changed, refresh_summary
from skinclinic.services.search_words import index_photo
from skinclinic.web.come_back import ComeBack

log = logging.getLogger(__name__)
NAME_LENGTH = 200
# By the camera's clock (``camera_time``), and its minutes before UTC where they are known.
Taken = tuple[datetime, int | None]

# f(photo) -> why it must stay for now, or "". An app whose work needs photos registers its function when it starts.
reasons_to_keep: list[Callable[[Photo], str]] = []


class StillNeeded(Exception):
    """The photo cannot be deleted now; the message says why and what to do."""


def store_photo(
    *,
    clinic: Clinic,
    user: User | None,
    data: bytes,
    name: str,
    lesion: Lesion | Callable[[], Lesion] | None = None,
    kind: str = Photo.Kind.CLOSE_UP,
    is_synthetic: bool = False,
    taken: Taken | None = None,
    together_with: Callable[[Photo], None] | None = None,
) -> tuple[Photo, bool]:
    """Check, clean and store an uploaded file; return the photo and whether it is new in this clinic.

    Without a lesion the photo opens one of its own, to be filed under a patient later; a lesion that is not
    saved yet is saved with its first photo. One that is a function is asked for in the transaction that stores
    the photo, and may refuse it by an exception. ``taken`` goes before what the file says of when it was.
    ``together_with`` is called for a new photo in that transaction.
    A known photo whose stored file was lost gets it back (``Photo.given_back``).
    Raises imaging.PhotoRejected for a file that is no usable photo or lies in the bin, decoding.Busy where too many
    come at once, quotas.OverQuota, and files.StorageFull for a full disk; in each case nothing is stored.
    """
    sha256 = imaging.sha256(data)
    if known := _known(clinic, sha256):
        known.given_back = bool(lost_files.give_back(clinic, data, user))
        return known, False
    if hashes_in_bin(clinic, [sha256]):
        raise imaging.PhotoRejected("in_bin")
    quotas.check_photos(clinic)
    accepted = decoding.accept(data, sender=decoding.sender_of(user.pk if user else None))
    try:
        with written(accepted, clinic=clinic, user=user, name=name, kind=kind, is_synthetic=is_synthetic) as (
            photo,
            confirm,
        ):
            if taken:
                photo.captured_at, photo.captured_offset = taken
            with transaction.atomic():
                insert(photo, lesion() if callable(lesion) else lesion)
                if together_with:
                    together_with(photo)
                confirm()
            return photo, True
    except (NoteGone, store.StorageFull) as error:
        # A file that is gone while it is written was swept, as where the disk's clock was put on: no disk is full.
        if isinstance(error, store.StorageFull) and not isinstance(error.__cause__, FileNotFoundError):
            raise
        log.error("an upload was not stored: %s", error)
        words = _("Storing the photo took too long, so it was not stored. Send it again.")
        raise ComeBack("took_too_long", words, 1) from error
    except IntegrityError:
        # Somebody else stored the same file while this one was being decoded.
        if known := _known(clinic, sha256):
            return known, False
        raise


@contextmanager
def written(accepted: imaging.AcceptedPhoto, **said: Any) -> Iterator[tuple[Photo, Callable[[], None]]]:
    """Write a photo's files, slowly and before any transaction; the block then gives it a row (``insert``).

    ``said``: see ``unsaved``. Gives the photo, not saved yet, and what is to be called in the transaction of its row
    (``Note.confirm``). A block that raises leaves no file behind. Raises files.StorageFull.
    """
    photo = unsaved(accepted, **said)
    with written_together([(photo, accepted)]) as (stored, confirm):
        yield photo, lambda: confirm(photo)
        stored.add(photo.sha256)


@contextmanager
def written_together(
    photos: Sequence[tuple[Photo, imaging.AcceptedPhoto]],
) -> Iterator[tuple[set[str], Callable[[Photo], None]]]:
    """Write the files of several different photos, which the disk takes in faster together; the block then gives them
    rows, calls the function in the transaction of each, and adds the ``sha256`` of each that has one to the set. The
    files of all others go. Otherwise as ``written``.
    """
    files: dict[str, bytes] = {}
    stored: set[str] = set()
    for photo, accepted in photos:
        small = imaging.mark_synthetic(accepted.thumbnail) if photo.is_synthetic else accepted.thumbnail
        files |= {photo.file_key: accepted.jpeg, photo.thumbnail_key: small}
    with noted(*files) as note:
        try:
            store.write_together(files)
            yield stored, lambda photo: note.confirm(photo.file_key, photo.thumbnail_key)
        finally:
            without_row = [photo for photo, _accepted in photos if photo.sha256 not in stored]
            note.drop(*(key for photo in without_row for key in (photo.file_key, photo.thumbnail_key)))


def unsaved(
    accepted: imaging.AcceptedPhoto,
    *,
    clinic: Clinic,
    user: User | None,
    name: str,
    kind: str = Photo.Kind.CLOSE_UP,
    is_synthetic: bool = False,
) -> Photo:
    """The row of an accepted photo, with keys for its files; neither is stored yet."""
    folder = f"clinic-{clinic.pk}"
    return Photo(
        clinic=clinic,
        kind=kind,
        captured_at=camera_time(accepted.captured_at),
        captured_offset=accepted.captured_offset,
        original_name=shown_name(name),
        sha256=accepted.sha256,
        file_key=store.new_key(folder),
        thumbnail_key=store.new_key(folder),
        width=accepted.width,
        height=accepted.height,
        source_format=accepted.source_format,
        notes=list(accepted.notes),
        is_synthetic=is_synthetic,
        uploaded_by=user,
    )


@transaction.atomic
def insert(photo: Photo, lesion: Lesion | None) -> None:
    """Store the row of a photo whose files are there, in ``lesion`` or one of its own; one that is not saved yet
    is saved with it. Raises IntegrityError for a file that the clinic has meanwhile."""
    lesion = lesion or Lesion(clinic=photo.clinic, created_by=photo.uploaded_by)
    is_first = lesion.pk is None
    if is_first:
        lesion.save(force_insert=True)
    else:
        list(hold(Lesion.objects.filter(pk=lesion.pk)).values_list("pk"))
    photo.lesion, photo.is_archived = lesion, lesion.is_archived
    photo.save(force_insert=True)
    if not lesion.is_archived:
        index_photo(photo)
    if is_first:
        begin_summary(lesion, photo)
    else:
        refresh_summary(lesion)


def _known(clinic: Clinic, sha256: str) -> Photo | None:
    """The photo of this file; also of a copy of what was stored before it was covered."""
    rows = Photo.objects.filter(clinic=clinic).select_related("lesion").order_by("is_further_square", "pk")
    return rows.filter(sha256=sha256).first() or rows.filter(covers__content_sha256=sha256).first()


def camera_time(by_camera: datetime | None) -> datetime | None:
    """The camera's clock read as this clinic's local time; None for years a camera cannot mean."""
    if by_camera is None or not 1826 <= by_camera.year <= 9998:
        return None
    return timezone.make_aware(by_camera)


def shown_name(name: str, *, numbers: bool = True) -> str:
    """An uploaded file's name as text to show: no folders, no control or direction marks, composed Hangul, and nothing
    that looks like a person's name or number.

    A long one is cut to 200 characters in the middle, so that its ending stays.
    """
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rsplit("/", 1)[-1]
    text = "".join(character for character in last if character.isprintable()).strip()
    text = kept_file_name(text, numbers=numbers)
    if len(text) <= NAME_LENGTH:
        return text
    ending = PurePosixPath(text).suffix[:12]
    return f"{text[: NAME_LENGTH - len(ending) - 1]}…{ending}"


def set_box(photo: Photo, box) -> None:
    """Choose the square that is analysed, in pixels of the stored photo: an imaging.Box or anything
    imaging.check_box reads. Raises imaging.BoxRejected."""
    box = imaging.check_box(box, photo.width, photo.height)
    photo.box_x, photo.box_y, photo.box_size = box.x, box.y, box.size
    with transaction.atomic():
        hold_lesion_of(photo)
        photo.save(update_fields=["box_x", "box_y", "box_size"])
        photos_changed([photo.lesion_id])


def delete_photo(photo: Photo) -> None:
    """Delete a photo with its files and analyses, and its lesion if a photo opened that and nothing is left there.

    Raises StillNeeded, having deleted nothing.
    """
    for reason in reasons_to_keep:
        if why := reason(photo):
            raise StillNeeded(why)
    keys = (photo.file_key, photo.thumbnail_key)
    with noted(*keys):
        with transaction.atomic():
            # The lesion first, as everybody who changes something of it; it may have to go too.
            lesion = hold_lesion_of(photo, to_remove=True) or photo.lesion
            audit.record("photo.remove", photo)
            kept_counts.changed(photo.clinic_id, [kept_counts.PHOTOS], [photo.pk], -1)
            photo.delete()
            is_bare = not (lesion.photos.exists() or lesion.diagnoses.exists() or belongings.any_of(lesion))
            if lesion.is_of_photo and is_bare:
                lesion.delete()
            else:
                refresh_summary(lesion)
        transaction.on_commit(lambda: store.delete(*keys))
