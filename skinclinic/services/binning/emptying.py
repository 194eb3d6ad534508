"""Emptying the bin: rows and files for good. The sweep does so when their time is over, an admin whenever it is due."""

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from skinclinic.engine.housekeeping import broom
from skinclinic.files import store
from skinclinic.files.notes import noted
from skinclinic.models import BinItem, BinnedRow, Lesion, Patient, Photo, User
from skinclinic.services.binning import items
from skinclinic.services.erasing import places
from skinclinic.services.erasing.taken import Taken

A_SWEEP = 100


def empty(item: BinItem, user: User | None) -> int:
    """Delete it for good, and with it whatever lies in the bin and could return to nothing else; return how many acts
    that were. Raises Gone."""
    with noted(*_files(_with_what_hangs_on(item))), transaction.atomic():
        ending = [items.held(one) for one in _with_what_hangs_on(item)]
        files = _files(ending)
        # Rows that stay elsewhere keep nothing of it either.
        places.effects(_taken(ending), user, act=True)
        for one in ending:
            items.end(one, BinItem.Ended.EMPTIED, user)
        # Only when no row can bring them back.
        transaction.on_commit(lambda: store.delete(*files))
    return len(ending)


@broom
def empty_what_is_over() -> None:
    """Empty what has lain in the bin for its time."""
    over = BinItem.objects.filter(ended_at=None, until__lte=Now()).order_by("until")
    for item in over[:A_SWEEP]:
        try:
            empty(item, None)
        except items.Gone:
            continue


def _with_what_hangs_on(item: BinItem) -> list[BinItem]:
    """The item, and those of photos and lesions that were of what it holds, and of patients that became it."""
    found, waiting = {item.pk: item}, [item]
    while waiting:
        one = waiting.pop()
        lesions = one.rows.filter(model="skinclinic.lesion").values_list("key", flat=True)
        hanging = Q(kind=BinItem.Kind.PHOTO, lesion_key__in=list(lesions))
        merged = [key for model, _column, key, _target in one.cut if model == BinItem._meta.label_lower]
        hanging |= Q(kind=BinItem.Kind.MERGE, pk__in=merged)
        # A merge that only becomes final has an heir for what was the other's.
        if one.kind == BinItem.Kind.PATIENT or (one.kind == BinItem.Kind.MERGE and one.pk != item.pk):
            hanging |= Q(kind=BinItem.Kind.LESION, patient_key=one.key)
        below = BinItem.objects.filter(hanging, clinic=item.clinic_id, ended_at=None).exclude(pk__in=found)
        found |= {row.pk: row for row in below}
        waiting += below
    return [found[key] for key in sorted(found)]


def _taken(ending: list[BinItem]) -> Taken:
    """What is deleted for good, by keys; a patient that became another one lives on in that."""
    gone = [item for item in ending if item.kind != BinItem.Kind.MERGE]
    found = Taken(ending[0].clinic_id, set(), items=gone)
    found.patients |= found.keys(Patient)
    found.lesions |= found.keys(Lesion)
    found.photos |= found.keys(Photo)
    return found


def _files(ending: list[BinItem]) -> list[str]:
    photos = BinnedRow.objects.filter(item__in=ending, model="skinclinic.photo")
    return [photo.data[name] for photo in photos for name in ("file_key", "thumbnail_key")]
