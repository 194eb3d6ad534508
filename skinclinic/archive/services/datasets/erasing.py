"""What the archive and its datasets hold of a patient who is erased.

Members of frozen versions stay as lines without anything of the patient, so that a version goes on saying how many it
held of each label, and how many of them were withdrawn; its files and tables are gone.
"""

import shutil
import uuid
from collections.abc import Iterator
from functools import partial

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from skinclinic.archive.models import BulkChange, DatasetItem, DatasetVersion, Entry, EntryChange
from skinclinic.archive.services.datasets import large
from skinclinic.archive.services.datasets.withdrawal import from_drafts, named
from skinclinic.archive.services.exporting import export, pseudonyms
from skinclinic.models import Erasure, User
from skinclinic.services.consent import Effect
from skinclinic.services.erasing import places
from skinclinic.services.erasing.taken import Taken
from skinclinic.services.erasing.trace import Trace
from skinclinic.web.counts import ngettext

VERSIONS, ITEMS = "versions", "items"
# What a line keeps: its version, label and side, and whether it was proven.
BLANK = {
    "entry": None, "phash": None, "subtype": "", "icd10": "", "impression": "",
    "text": "", "confirmed_by": "", "person": "", "lesion": "", "kind": "", "taken_on": None, "age": None,
    "age_to": None, "sex": "", "skin_type": None, "ethnicity": "", "site": "", "source_name": "", "tags": "",
    "isic": None,
}  # fmt: skip


def items_of(taken: Taken) -> QuerySet[DatasetItem]:
    """The patient's photos in datasets, also those that were deleted long ago."""
    persons = [pseudonyms.person(taken.clinic_id, key) for key in taken.patients]
    lesions = [pseudonyms.lesion(taken.clinic_id, key) for key in taken.lesions]
    theirs = Q(entry__in=taken.keys(Entry)) | Q(pk__in=taken.cut_off(DatasetItem))
    theirs |= Q(person__in=persons) | Q(lesion__in=lesions)
    items = DatasetItem.objects.filter(theirs, version__clinic=taken.clinic_id)
    return items.exclude(content_sha256__startswith=DatasetItem.WITHDRAWN).order_by()


@places.on_erase
def in_datasets(taken: Taken, user: User | None, act: bool) -> Iterator[Effect]:
    """Drafts lose the photos; of frozen versions lines without the patient are left."""
    if n := len(taken.keys(Entry)):
        text = ngettext("%(n)d photo leaves the archive.", "%(n)d photos leave the archive.", n)
        yield Effect("entries", n, text % {"n": n})
    items = items_of(taken)
    yield from from_drafts(items, act)
    frozen = items.filter(version__state=DatasetVersion.State.FROZEN)
    held = DatasetVersion.objects.filter(pk__in=frozen.values("version")).select_related("dataset")
    versions = list(held.order_by("dataset__name", "number"))
    taken.trace.elsewhere[VERSIONS] = [[version.pk, version.sha256] for version in versions]
    taken.trace.elsewhere[ITEMS] = sorted(frozen.values_list("pk", flat=True))
    if not versions:
        return
    photos = frozen.count()
    if act:
        large.fall_behind(frozen)
        taken.trace.note_hashes(frozen.values_list("content_sha256", flat=True))
        for pk in taken.trace.elsewhere[ITEMS]:
            # Told apart by chance alone: nothing leads from it to the photo.
            chance = f"{DatasetItem.WITHDRAWN}{uuid.uuid4().hex}"
            DatasetItem.objects.filter(pk=pk).update(content_sha256=chance, **BLANK)
        transaction.on_commit(partial(_remove_exports, taken.trace.elsewhere[VERSIONS]))
    text = ngettext(
        "%(n)d frozen dataset loses such photos (%(photos)d), says so, and goes on as a new version: %(names)s.",
        "%(n)d frozen datasets lose such photos (%(photos)d), say so, and go on as new versions: %(names)s.",
        len(versions),
    )
    numbers = {"photos": photos, "n": len(versions), "names": named(versions)}
    yield Effect("frozen", len(versions), text % numbers)


@places.on_erase
def in_exports(taken: Taken, user: User | None, act: bool) -> Iterator[Effect]:
    """Tables of exports that are kept on the disk."""
    held = DatasetVersion.objects.filter(pk__in=items_of(taken).values("version")).exclude(sha256="")
    # With ``act`` they are blank by now, and told already.
    kept = [version for version in held if export.folder_of(version).exists()] if not act else []
    if kept:
        text = ngettext(
            "The kept tables of %(n)d export are removed.",
            "The kept tables of %(n)d exports are removed.",
            len(kept),
        )
        yield Effect("exports", len(kept), text % {"n": len(kept)})


@places.afterwards
def of_exports(erasure: Erasure, trace: Trace) -> None:
    _remove_exports(trace.elsewhere.get(VERSIONS, []))


def _remove_exports(versions: list[list]) -> None:
    for pk, sha256 in versions:
        shutil.rmtree(settings.SKINCLINIC_HOME / export.FOLDER / f"{sha256}-{pk}", ignore_errors=True)


@places.afterwards
def of_changes(erasure: Erasure, trace: Trace) -> None:
    """Photos of others that were filed under the patient, and what was done to many photos."""
    moved = EntryChange.objects.filter(clinic=erasure.clinic_id, fields__has_key="patient")
    for change in moved.iterator(500):
        fields = trace.without(change.fields)
        if fields != change.fields:
            EntryChange.objects.filter(pk=change.pk).update(fields=fields)
    for row in BulkChange.objects.filter(clinic=erasure.clinic_id).iterator(100):
        selection, values = trace.without(row.selection, ""), trace.without(row.values)
        if (selection, values) != (row.selection, row.values):
            BulkChange.objects.filter(pk=row.pk).update(selection=selection, values=values)
    for version in DatasetVersion.objects.filter(clinic=erasure.clinic_id).exclude(query={}):
        query = trace.without(version.query, "")
        if query != version.query:
            DatasetVersion.objects.filter(pk=version.pk).update(query=query)
