"""What follows in the archive and its datasets when a photo is covered for good.

Entries and drafts follow the stored file. A frozen version cannot change: what it held is there no more, so that it can
no longer be used whole (``against.COVERED``), as when a photo is deleted; a new version takes the photo as it is now.
"""

from collections.abc import Iterator, Sequence

from django.utils.translation import gettext as _

from skinclinic.archive.models import DatasetItem, DatasetVersion, Entry, EntryChange
from skinclinic.archive.services.datasets import large
from skinclinic.archive.services.datasets.withdrawal import named
from skinclinic.models import Photo, User
from skinclinic.services import covering
from skinclinic.services.covering import NewPicture


@covering.on_covered
def follow(photos: Sequence[Photo], picture: NewPicture, user: User | None) -> None:
    """Entries and drafts get the hashes of what is stored now."""
    entries = list(Entry.objects.select_for_update().filter(photo__in=photos).order_by("pk"))
    if not entries:
        return
    hashes = {"content_sha256": picture.sha256, "phash": picture.phash}
    Entry.objects.filter(pk__in=[entry.pk for entry in entries]).update(**hashes)
    items = DatasetItem.objects.filter(entry__in=entries)
    drafts = DatasetVersion.objects.select_for_update().filter(state=DatasetVersion.State.DRAFT)
    held = list(drafts.filter(pk__in=items.values("version")).order_by("pk").values_list("pk", flat=True))
    items.filter(version__in=held).update(**hashes)
    large.fall_behind(items)
    EntryChange.objects.bulk_create(
        EntryChange(
            clinic_id=entry.clinic_id, entry=entry, action=EntryChange.Action.COVERED, by=user,
            note=str(len(picture.covers)),
        )
        for entry in entries
    )  # fmt: skip


def told(photos: Sequence[Photo]) -> Iterator[str]:
    """What covering them will mean for datasets."""
    frozen = DatasetVersion.objects.filter(
        state=DatasetVersion.State.FROZEN, items__entry__photo__in=photos
    ).distinct()
    if found := list(frozen.select_related("dataset").order_by("dataset__name", "number")):
        yield _(
            "Frozen datasets hold this photo as it is: %(names)s. They can no longer be exported, trained on or drawn "
            "from whole; make a new version of each, which holds the covered photo."
        ) % {"names": named(found)}


covering.consequences.append(told)
