"""A photo whose stored file is lost or damaged gets it back when somebody sends the same file again.

What is sent again is known by its hash, so it is cleaned and made small as it was the first time; areas that were
covered since are covered again, before anything is written.
"""

import logging
from collections.abc import Sequence

from django.db import transaction

from skinclinic import imaging
from skinclinic.files import store
from skinclinic.files.notes import is_needed, noted
from skinclinic.models import Clinic, Photo, User
from skinclinic.services import audit, decoding

log = logging.getLogger(__name__)


def give_back(clinic: Clinic, data: bytes, user: User | None) -> list[Photo]:
    """Store the lost files of the clinic's photos that were made of this upload, under the keys they had; return those
    photos. Raises imaging.PhotoRejected, decoding.Busy and files.StorageFull; nothing is changed then."""
    rows = Photo.objects.filter(clinic=clinic, sha256=imaging.sha256(data)).order_by("pk")
    lacking = [photo for photo in rows.prefetch_related("covers") if lost_keys(photo)]
    if not lacking:
        return []
    sender = decoding.sender_of(user.pk if user else None)
    accepted = decoding.accept(data, sender=sender)
    files: dict[str, bytes] = {}
    given = []
    for photo in lacking:
        if (accepted.width, accepted.height) != (photo.width, photo.height):
            log.error("photo %s has another size than the file it was made of; it stays without", photo.pk)
            continue
        files |= _contents(photo, accepted, sender)
        given.append(photo)
    _write(given, files, user)
    return given


def lost_keys(photo: Photo) -> list[str]:
    """The keys of its files that are missing, or are no whole JPEG."""
    return [key for key in (photo.file_key, photo.thumbnail_key) if not store.is_whole_jpeg(key)]


def _contents(photo: Photo, accepted: imaging.AcceptedPhoto, sender: str) -> dict[str, bytes]:
    """What belongs under its lost keys."""
    picture, small = accepted.jpeg, accepted.thumbnail
    for cover in sorted(photo.covers.all(), key=lambda one: one.pk):
        covers = imaging.check_covers(cover.areas, photo.width, photo.height)
        made = decoding.cover(picture, covers, sender=sender)
        picture, small = made.jpeg, made.thumbnail
    small = imaging.mark_synthetic(small) if photo.is_synthetic else small
    lost = lost_keys(photo)
    return {key: one for key, one in ((photo.file_key, picture), (photo.thumbnail_key, small)) if key in lost}


def _write(photos: Sequence[Photo], files: dict[str, bytes], user: User | None) -> None:
    with noted(*files):
        store.write_together(files)
        with transaction.atomic():
            audit.record_all("photo.give_back", photos, by=user)
        # One that was deleted or covered while it was written needs them no more.
        store.delete(*(key for key in files if not is_needed(key)))
    log.warning("lost files were given back: %s", ", ".join(files))
