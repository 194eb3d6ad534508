"""Several lesions in one picture: each has its own square, answer, place, decision and pathology.

Everything here hangs on a photo having one lesion and one square, so each further lesion is a photo of its own that
shows the same picture (``Photo.picture``), with files of its own: either can be deleted without the other. Covers reach
all of them (``services.covering``). They keep the hash of the upload, and their stored files are equal to the byte, by
which datasets hold them on one side.
"""

import uuid
from collections.abc import Callable

from django.db import transaction

from skinclinic import imaging
from skinclinic.files import store
from skinclinic.files.notes import noted
from skinclinic.imaging import Box
from skinclinic.imaging.boxes import BoxLike
from skinclinic.models import Lesion, Photo, User
from skinclinic.services.cases import hold_lesions_of
from skinclinic.services.covering import ChangedMeanwhile, read_stored, same_picture
from skinclinic.services.photos import insert
from skinclinic.services.refused import Refused
from skinclinic.web.counts import gettext as _

MOST_SQUARES = 30
# What a further photo of the same picture takes over.
_SAME = (
    "clinic_id", "kind", "captured_at", "captured_offset", "original_name", "sha256", "width", "height",
    "source_format", "notes", "is_synthetic",
)  # fmt: skip


def add_square(
    photo: Photo,
    box_like: BoxLike,
    user: User | None,
    *,
    together_with: Callable[[Photo], None] = lambda photo: None,
) -> tuple[Photo, bool]:
    """Another lesion in this picture: a photo of it with this square, in a lesion of its own under the same patient.

    Return it and whether it is new: the same square again is the one that is there. ``together_with`` is called for a
    new one in the transaction that stores it. Raises imaging.BoxRejected, Refused, ChangedMeanwhile where the photo was
    covered or removed meanwhile, files.StorageFull, and OSError for a photo whose file is gone.
    """
    box = imaging.check_box(box_like, photo.width, photo.height)
    if found := _there(photo, box):
        return found, False
    if photo.lesion.is_archived:
        raise Refused("", _("This photo was imported into the archive, where each photo shows one lesion."))
    folder = f"clinic-{photo.clinic_id}"
    keys = (store.new_key(folder), store.new_key(folder))
    contents = tuple(read_stored(photo, key) for key in (photo.file_key, photo.thumbnail_key))
    with noted(*keys) as note:
        try:
            store.write_together(dict(zip(keys, contents, strict=True)))
            with transaction.atomic():
                made = _insert(photo, box, keys, user)
                if made.file_key in keys:
                    together_with(made)
                    note.confirm(*keys)
        except BaseException:
            note.drop(*keys)
            raise
        if made.file_key not in keys:
            store.delete(*keys)
    return made, made.file_key in keys


def _there(photo: Photo, box: Box) -> Photo | None:
    return next((one for one in same_picture(photo) if one.box == box), None)


def _insert(photo: Photo, box: Box, keys: tuple[str, str], user: User | None) -> Photo:
    """The row of the new one, or the one that somebody has made meanwhile."""
    hold_lesions_of([photo])
    held = Photo.objects.select_for_update(of=("self",), no_key=True).filter(pk=photo.pk).first()
    if held is None or held.file_key != photo.file_key:
        raise ChangedMeanwhile
    held.lesion = photo.lesion
    if found := _there(held, box):
        return found
    if len(same_picture(held)) >= MOST_SQUARES:
        raise Refused("", _("One picture holds at most %(most)d lesions.") % {"most": MOST_SQUARES})
    if not held.picture:
        held.picture = uuid.uuid4().hex
        held.save(update_fields=["picture"])
    photo.picture = held.picture
    made = Photo(
        **{name: getattr(held, name) for name in _SAME},
        picture=held.picture, is_further_square=True, box_x=box.x, box_y=box.y, box_size=box.size,
        file_key=keys[0], thumbnail_key=keys[1], uploaded_by=user,
    )  # fmt: skip
    insert(made, Lesion(clinic_id=held.clinic_id, patient=photo.lesion.patient, created_by=user))
    # The covers of the picture are its own, too.
    for cover in reversed(held.covers.all()):
        same = {"areas": cover.areas, "content_sha256": cover.content_sha256, "by": cover.by}
        made.covers.create(clinic_id=made.clinic_id, **same)
    return made
