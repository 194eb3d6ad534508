"""What follows in the archive and its datasets when photos go to the bin."""

from collections.abc import Iterator

from django.db.models import Count, QuerySet

from skinclinic.archive.models import DatasetItem, DatasetVersion, Entry, Review
from skinclinic.archive.services.datasets import counted, large
from skinclinic.archive.services.datasets.withdrawal import from_drafts, named
from skinclinic.archive.services.exporting import pseudonyms
from skinclinic.models import Patient, User
from skinclinic.services.binning import places
from skinclinic.services.binning.places import Photos
from skinclinic.services.consent import Effect
from skinclinic.web.counts import ngettext


def items_of_photos(photos: Photos) -> QuerySet[DatasetItem]:
    """The photos in datasets."""
    entries = Entry.objects.filter(photo__in=list(photos)).order_by()
    return DatasetItem.objects.filter(entry__in=entries.values("pk")).order_by()


@places.on_bin
def in_archive(photos: Photos, user: User, act: bool) -> Iterator[Effect]:
    """Entries go with their photos; drafts lose them; frozen versions cannot change and are told about."""
    if n := Entry.objects.filter(photo__in=list(photos)).count():
        text = ngettext("%(n)d photo leaves the archive.", "%(n)d photos leave the archive.", n)
        yield Effect("entries", n, text % {"n": n})
    items = items_of_photos(photos)
    yield from from_drafts(items, act)
    if act:
        large.fall_behind(items)
    held = DatasetVersion.objects.filter(
        state=DatasetVersion.State.FROZEN, pk__in=items.values("version")
    ).select_related("dataset")
    if frozen := list(held.order_by("dataset__name", "number")):
        text = ngettext(
            "%(n)d frozen dataset held such photos; until they are restored it can no longer be exported, trained on "
            "or drawn from whole: %(names)s.",
            "%(n)d frozen datasets held such photos; until they are restored they can no longer be exported, trained "
            "on or drawn from whole: %(names)s.",
            len(frozen),
        )
        yield Effect("frozen", len(frozen), text % {"n": len(frozen), "names": named(frozen)})


@places.on_restore
def in_datasets_again(photos: Photos) -> None:
    """Frozen versions hold them again."""
    large.fall_behind(items_of_photos(photos))
    back = Entry.objects.filter(photo__in=list(photos)).order_by()
    counted.forget_outside(back.values_list("clinic", flat=True).distinct())


@places.on_curated
def is_in_archive(photos: Photos) -> bool:
    """What was accepted into the archive, or is in a dataset, is not deleted behind its curators' backs."""
    accepted = Entry.objects.filter(photo__in=list(photos), review=Review.ACCEPTED)
    return accepted.exists() or items_of_photos(photos).exists()


@places.on_merge
def in_frozen(keep: Patient, other: Patient) -> Iterator[Effect]:
    """Frozen versions that hold photos of both go on counting two patients, perhaps on two sides of a split."""
    persons = [pseudonyms.person(patient.clinic_id, patient.pk) for patient in (keep, other)]
    items = DatasetItem.objects.filter(person__in=persons, version__state=DatasetVersion.State.FROZEN)
    both = items.order_by().values("version").annotate(n=Count("person", distinct=True)).filter(n=2)
    found = DatasetVersion.objects.filter(pk__in=both.values("version")).select_related("dataset")
    if versions := list(found.order_by("dataset__name", "number")):
        text = ngettext(
            "%(n)d frozen dataset counts the two as two patients and stays as it is: %(names)s. Make a new version of "
            "it, which counts one.",
            "%(n)d frozen datasets count the two as two patients and stay as they are: %(names)s. Make new versions of "
            "them, which count one.",
            len(versions),
        )
        yield Effect("two_persons", len(versions), text % {"n": len(versions), "names": named(versions)})
