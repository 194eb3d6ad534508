"""Names of files that were stored before they were looked at: those that look like a person's are removed, once."""

from skinclinic.engine import jobs
from skinclinic.engine.housekeeping import broom
from skinclinic.models import BinItem, BinnedRow, Photo, PhotoWord
from skinclinic.services.identifying import kept_file_name
from skinclinic.services.search_words import index_photo

JOB = "old-file-names"
AT_ONCE = 500


@broom
def ask_once() -> None:
    """Ask for it unless that was done: asking again makes no second job."""
    jobs.enqueue(JOB, "1")


def remove() -> int:
    """Look at every name; return how many were removed."""
    count, last = 0, 0
    while rows := list(Photo.objects.filter(pk__gt=last).select_related("lesion").order_by("pk")[:AT_ONCE]):
        last = rows[-1].pk
        for photo in rows:
            before = photo.original_name
            photo.original_name = kept_file_name(before, numbers=not photo.lesion.is_archived)
            if photo.original_name != before:
                count += 1
                Photo.objects.filter(pk=photo.pk).update(original_name=photo.original_name)
                if PhotoWord.objects.filter(photo=photo).delete()[0]:
                    index_photo(photo)
    return count + _in_bin()


def _in_bin() -> int:
    count = 0
    for row in BinnedRow.objects.filter(model="skinclinic.photo").iterator(AT_ONCE):
        kept = kept_file_name(row.data["original_name"])
        if kept != row.data["original_name"]:
            count += 1
            row.data["original_name"] = kept
            row.save(update_fields=["data"])
            words = BinnedRow.objects.filter(
                item=row.item_id, model="skinclinic.photoword", data__photo=row.key
            )
            words.delete()
    for item in BinItem.objects.filter(ended_at=None, told__has_key="name"):
        kept = kept_file_name(item.told["name"])
        if kept != item.told["name"]:
            item.told["name"] = kept
            item.save(update_fields=["told"])
    return count
