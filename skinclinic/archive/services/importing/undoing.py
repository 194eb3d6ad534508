"""Taking out of the archive again what an import brought: first what it changed, then its photos with their rows.

Nothing is removed when something of it is needed: in a frozen dataset, in a study that is being read.
"""

from collections.abc import Callable

from django.db import transaction
from django.utils import timezone

from skinclinic.archive.models import Dataset, DatasetItem, DatasetVersion, Entry, EntryChange, Import
from skinclinic.archive.services.curating.own_facts import OF_PATIENT
from skinclinic.archive.services.importing.fields import OF_PHOTO, plain
from skinclinic.archive.services.importing.refiling import FILED, file_back
from skinclinic.models import Lesion, Patient, Photo
from skinclinic.services import photos as photo_service

MOST_NAMED = 200


def undo(row: Import, say: Callable[[int, int], None]) -> dict:
    """Undo an import; return {"removed", "restored"} (counts), "stays" {why: [names]}, or "needed" {why: [names]} when
    nothing was done. ``say(done, total)`` is called now and then."""
    if needed := _needed(row):
        return {"removed": 0, "restored": 0, "stays": {}, "needed": needed}
    changes = EntryChange.objects.filter(of_import=row, undone_at=None).exclude(entry__of_import=row)
    entries = list(Entry.objects.filter(of_import=row).order_by("-pk").values_list("pk", flat=True))
    keys = list(changes.order_by("-pk").values_list("pk", flat=True))
    total, restored, removed = len(keys) + len(entries), 0, 0
    stays: dict[str, list[str]] = {}
    for done, pk in enumerate(keys):
        say(done, total)
        restored += _restore(pk, row, stays)
    for done, pk in enumerate(entries, start=len(keys)):
        say(done, total)
        removed += _remove(pk, stays)
    _drop_empty_dataset(row)
    named = {why: names[:MOST_NAMED] for why, names in stays.items()}
    return {"removed": removed, "restored": restored, "stays": named}


def _needed(row: Import) -> dict[str, list[str]]:
    """Photos that must stay for now, by the reason."""
    needed: dict[str, list[str]] = {}
    frozen = DatasetItem.objects.filter(entry__of_import=row, version__state=DatasetVersion.State.FROZEN)
    for item in frozen.select_related("entry", "version__dataset")[:MOST_NAMED]:
        needed.setdefault(str(item.version), []).append(item.kept_entry.external_id)
    for entry in Entry.objects.filter(of_import=row).select_related("photo").iterator(500):
        for reason in photo_service.reasons_to_keep:
            if why := reason(entry.photo):
                needed.setdefault(str(why), []).append(entry.external_id)
    return {why: names[:MOST_NAMED] for why, names in needed.items()}


@transaction.atomic
def _restore(pk: int, row: Import, stays: dict[str, list[str]]) -> int:
    """Give an entry back what an import had changed, where nobody has changed it since."""
    change = EntryChange.objects.select_for_update().get(pk=pk)
    entries = Entry.objects.select_for_update(of=("self", "photo"))
    entry = entries.select_related("photo__lesion__patient", "source").get(pk=change.entry_id)
    history: dict[str, list] = {}
    values: dict[str, object] = {}
    of_photo: dict[str, object] = {}
    for name, (before, after) in change.fields.items():
        held = entry.photo if name in OF_PHOTO else entry
        if name in FILED:
            continue
        if plain(getattr(held, name)) != after:
            stays.setdefault("changed", []).append(entry.external_id)
        else:
            (of_photo if name in OF_PHOTO else values)[name] = before
            history[name] = [after, before]
    filed = {name: sides for name, sides in change.fields.items() if name in FILED}
    if filed and file_back(entry, filed, row):
        history |= {name: [after, before] for name, (before, after) in filed.items()}
    elif filed:
        stays.setdefault("filed", []).append(entry.external_id)
    _restore_facts(entry, history)
    if of_photo:
        Photo.objects.filter(pk=entry.photo_id).update(**of_photo)
    if values:
        Entry.objects.filter(pk=entry.pk).update(**values)
    EntryChange.objects.filter(pk=pk).update(undone_at=timezone.now())
    if history:
        EntryChange.objects.create(
            clinic_id=entry.clinic_id,
            entry=entry,
            action=EntryChange.Action.UNDONE,
            by=row.created_by,
            fields=history,
        )
    return bool(history)


def _restore_facts(entry: Entry, history: dict[str, list]) -> None:
    """What the import had changed with the photo: its patient's facts and its lesion's site."""
    for name in OF_PATIENT:
        if name in history and entry.patient_id:
            after, before = history[name]
            same = Patient.objects.filter(pk=entry.patient_id, is_archived=True, **{name: after})
            same.update(**{name: before})
    if "site" in history:
        after, before = history["site"]
        Lesion.objects.filter(pk=entry.photo.lesion_id, is_archived=True, site=after).update(site=before)


def _remove(pk: int, stays: dict[str, list[str]]) -> int:
    """Remove an entry with its photo; its lesion and patient go with their last photo."""
    entry = Entry.objects.select_related("photo__lesion").filter(pk=pk).first()
    if entry is None:
        return 0
    photo, patient = entry.photo, entry.patient_id
    lesion = photo.lesion_id
    # A draft forgets it; what was frozen meanwhile keeps it.
    if DatasetItem.objects.filter(entry=pk, version__state=DatasetVersion.State.FROZEN).exists():
        stays.setdefault("frozen", []).append(entry.external_id)
        return 0
    DatasetItem.objects.filter(entry=pk, version__state=DatasetVersion.State.DRAFT).delete()
    try:
        photo_service.delete_photo(photo)
    except photo_service.StillNeeded as needed:
        stays.setdefault(str(needed), []).append(entry.external_id)
        return 0
    Lesion.objects.filter(pk=lesion, is_archived=True, photos=None).delete()
    if patient:
        Patient.objects.filter(pk=patient, is_archived=True, lesions=None).delete()
    return 1


def _drop_empty_dataset(row: Import) -> None:
    """The dataset that the import had filled goes when it holds nothing and never held more than a draft."""
    dataset = Dataset.objects.filter(clinic=row.clinic, name=row.name).first()
    if dataset is None or DatasetItem.objects.filter(version__dataset=dataset).exists():
        return
    if not dataset.versions.exclude(state=DatasetVersion.State.DRAFT).exists():
        dataset.delete()
