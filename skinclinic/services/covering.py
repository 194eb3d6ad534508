"""Covering faces, eyes and tattoos of a stored photo for good.

The stored picture is written anew with the covers burnt in (``imaging.covers`` says why they are plain grey) and takes
the place of the old one in one step: new files under new keys, the rows changed in one transaction, the old files
deleted after it. A crash leaves the old photo or the new one; the files without a row are swept (``files.notes``).
Everything else that shows the photo is drawn from the stored file when it is asked for, so nothing else is to be
replaced; apps that keep facts of the file register here.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import transaction

from skinclinic import imaging
from skinclinic.files import store
from skinclinic.files.notes import Note, noted
from skinclinic.imaging import Cover
from skinclinic.models import Photo, PhotoCover, User
from skinclinic.services import audit, decoding
from skinclinic.services.cases import hold_lesions_of
from skinclinic.services.lesions import photos_changed
from skinclinic.services.refused import Refused
from skinclinic.web.counts import gettext as _


@dataclass(frozen=True)
class NewPicture:
    """What the photos show from now on. ``before``: the hash of the stored file that it replaces."""

    covers: Sequence[Cover]
    jpeg: bytes
    thumbnail: bytes
    sha256: str
    phash: int
    before: str


# f(photos) -> why they cannot be covered now and what to do, or "". Apps register theirs when they start.
reasons_against: list[Callable[[Sequence[Photo]], str]] = []
# f(photos) -> what covering them will mean elsewhere, in words, to be told before.
consequences: list[Callable[[Sequence[Photo]], Iterator[str]]] = []
# f(photos, picture, user): called in the transaction that covers, with the lesions held.
_listeners: list[Callable[[Sequence[Photo], NewPicture, User | None], None]] = []
Listener = Callable[[Sequence[Photo], NewPicture, User | None], None]


class ChangedMeanwhile(Exception):
    """Somebody else has covered or removed the photo since it was looked at. Nothing was changed."""


def on_covered(function: Listener) -> Listener:
    """Register a function that brings what it keeps of the file up to date."""
    _listeners.append(function)
    return function


def same_picture(photo: Photo) -> list[Photo]:
    """The photo with all others that show the same picture (further lesions in it), in the order they were made."""
    if not photo.picture:
        return [photo]
    rows = Photo.objects.filter(clinic=photo.clinic_id, picture=photo.picture)
    return list(rows.select_related("lesion").order_by("pk"))


def stand(photo: Photo) -> str:
    """Which state of the stored file a page shows; it comes back with the areas that were drawn on it."""
    return photo.file_key.rpartition("/")[2].partition(".")[0]


def why_not(photos: Sequence[Photo]) -> str:
    """Why they cannot be covered now and what to do, in words; "" if they can."""
    return next(filter(None, (reason(photos) for reason in reasons_against)), "")


def effects(photo: Photo) -> list[str]:
    """What covering will mean beyond the photo itself, in words."""
    photos, told = same_picture(photo), []
    if len(photos) > 1:
        told.append(_("All %(n)d lesions in this picture are covered alike.") % {"n": len(photos)})
    return told + [text for function in consequences for text in function(photos)]


def cover(photo: Photo, areas: object, user: User | None, *, seen: str = "") -> list[Photo]:
    """Cover these areas for good in the photo and all that show the same picture; return those.

    ``areas``: whatever was sent (``imaging.check_covers`` judges it). ``seen``: the ``stand`` it was drawn on; "":
    whatever stands. Raises imaging.CoverRejected, Refused with the reason, ChangedMeanwhile, decoding.Busy,
    files.StorageFull, and OSError for a photo whose file is gone; nothing is changed then.
    """
    if seen and seen != stand(photo):
        raise ChangedMeanwhile
    covers = imaging.check_covers(areas, photo.width, photo.height)
    photos = same_picture(photo)
    if reason := why_not(photos):
        raise Refused("", reason)
    picture = _picture(photo, covers, user)
    with _written(photos, picture) as (files, note), transaction.atomic():
        _replace(photos, picture, files, user)
        note.confirm(*(key for pair in files.values() for key in pair))
    return photos


def _picture(photo: Photo, covers: Sequence[Cover], user: User | None) -> NewPicture:
    before = read_stored(photo, photo.file_key)
    made = decoding.cover(before, covers, sender=decoding.sender_of(user.pk if user else None))
    thumbnail = imaging.mark_synthetic(made.thumbnail) if photo.is_synthetic else made.thumbnail
    content, old = imaging.sha256(made.jpeg), imaging.sha256(before)
    return NewPicture(covers, made.jpeg, thumbnail, content, made.likeness, old)


def read_stored(photo: Photo, key: str) -> bytes:
    """A file of the photo as it was read from the database. Raises ChangedMeanwhile where another has taken its place
    or the photo is gone, OSError where only the file is."""
    try:
        return store.read(key)
    except FileNotFoundError:
        if Photo.objects.filter(pk=photo.pk, file_key=photo.file_key).exists():
            raise
        raise ChangedMeanwhile from None


@contextmanager
def _written(
    photos: Sequence[Photo], picture: NewPicture
) -> Iterator[tuple[dict[int, tuple[str, str]], Note]]:
    """Write the new files of each photo; gives {photo: (file, thumbnail)} and their note. After the block
    the old ones go, or, where it raised, the new ones."""
    folder = f"clinic-{photos[0].clinic_id}"
    old = [key for photo in photos for key in (photo.file_key, photo.thumbnail_key)]
    keys = {photo.pk: (store.new_key(folder), store.new_key(folder)) for photo in photos}
    new = [key for pair in keys.values() for key in pair]
    with noted(*old, *new) as note:
        try:
            store.write_together(
                {
                    key: data
                    for pair in keys.values()
                    for key, data in zip(pair, (picture.jpeg, picture.thumbnail), strict=True)
                }
            )
            yield keys, note
        except BaseException:
            note.drop(*new)
            raise
        transaction.on_commit(lambda: store.delete(*old))


def _replace(
    photos: Sequence[Photo], picture: NewPicture, files: dict[int, tuple[str, str]], user: User | None
) -> None:
    """Give the photos their new files, if nobody has changed them meanwhile. Raises ChangedMeanwhile, Refused."""
    hold_lesions_of(photos)
    rows = Photo.objects.select_for_update(of=("self",), no_key=True).filter(
        pk__in=[one.pk for one in photos]
    )
    held = {row.pk: row for row in rows.order_by("pk")}
    # Removed or covered by somebody else, or another lesion of this picture was added.
    is_as_read = {one.pk: one.file_key for one in photos} == {pk: row.file_key for pk, row in held.items()}
    if not is_as_read or {one.pk for one in same_picture(held[photos[0].pk])} != set(held):
        raise ChangedMeanwhile
    if reason := why_not(photos):
        raise Refused("", reason)
    for photo in photos:
        photo.file_key, photo.thumbnail_key = files[photo.pk]
        photo.save(update_fields=["file_key", "thumbnail_key"])
    areas = [one.to_json() for one in picture.covers]
    PhotoCover.objects.bulk_create(
        PhotoCover(
            clinic_id=photo.clinic_id, photo=photo, areas=areas, content_sha256=picture.before, by=user
        )
        for photo in photos
    )
    audit.record_all("photo.cover", photos, by=user, facts={"areas": len(areas)})
    for hear in _listeners:
        hear(photos, picture, user)
    photos_changed({photo.lesion_id for photo in photos})


def note_covered_before(photo: Photo, covers: Sequence[Cover], original: str, user: User | None) -> None:
    """Keep that a photo was covered in the browser before it was sent; ``original``: the hash of the file that never
    left it, by which that file is known again ("": not told)."""
    areas = [one.to_json() for one in covers]
    PhotoCover.objects.create(
        clinic_id=photo.clinic_id, photo=photo, areas=areas, content_sha256=original, by=user
    )
