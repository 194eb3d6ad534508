"""Taking over what a source says anew of a photo that is in the archive, kept in its history."""

from skinclinic.archive.models import Entry, EntryChange, Import, Review
from skinclinic.archive.services.curating.own_facts import OF_PATIENT
from skinclinic.archive.services.importing import refiling
from skinclinic.archive.services.importing.fields import OF_PHOTO, plain
from skinclinic.models import Lesion, Patient, Photo, User
from skinclinic.services.lesions import refresh_summary


def take(
    entry: Entry,
    taken: dict,
    kept: dict,
    *,
    user: User | None,
    by: Import,
    lesion: Lesion | None = None,
    thumbnail: str | None = None,
    of_patient: dict | None = None,
) -> None:
    """Give an entry and its photo the values ``taken`` and note beside it those that are ``kept`` out. ``lesion``: the
    one the photo belongs to now. Call it in a transaction. Another label is to be reviewed again."""
    values = {name: value for name, value in taken.items() if name not in (*OF_PHOTO, "patient", "lesion")}
    if "label" in values and values["label"] != entry.label:
        values |= {
            "review": str(Review.PENDING),
            "reject_reason": "",
            "disagreement": None,
            "is_settled": False,
        }
    history = {name: [plain(getattr(entry, name)), plain(value)] for name, value in values.items()}
    if "review" in values:
        values |= {"reviewed_by": None, "reviewed_at": None}
    photo = {name: taken[name] for name in OF_PHOTO if name in taken}
    history |= {name: [plain(getattr(entry.photo, name)), plain(value)] for name, value in photo.items()}
    if lesion:
        before, after = refiling.names(entry.photo.lesion), refiling.names(lesion)
        _move(entry, lesion)
        history |= {name: [before[name], after[name]] for name in before if before[name] != after[name]}
        values |= {"patient": lesion.patient, "patient_key": lesion.patient_id or 0}
        values |= {"source_lesion": taken["lesion"]} if "lesion" in taken else {}
    if photo:
        Photo.objects.filter(pk=entry.photo_id).update(
            **photo, **({"thumbnail_key": thumbnail} if thumbnail else {})
        )
    if "site" in values and not lesion:
        Lesion.objects.filter(pk=entry.photo.lesion_id, is_archived=True).update(site=values["site"])
    facts = {name: taken[name] for name in OF_PATIENT if name in taken}
    patient = lesion.patient_id if lesion else entry.patient_id
    if facts and patient:
        told = {name: (of_patient or {}).get(name, value) for name, value in facts.items()}
        Patient.objects.filter(pk=patient, is_archived=True).update(**told)
    said = {name: value for name, value in entry.said.items() if name not in taken} | kept
    if not history and said == entry.said:
        return
    Entry.objects.filter(pk=entry.pk).update(**values, said=said)
    if history:
        EntryChange.objects.create(
            clinic_id=entry.clinic_id, entry=entry, action=EntryChange.Action.IMPORTED, by=user, of_import=by,
            fields=history,
        )  # fmt: skip


def _move(entry: Entry, lesion: Lesion) -> None:
    """File the photo under another lesion; one that it leaves empty goes."""
    old = entry.photo.lesion
    if lesion._state.adding:
        lesion.save(force_insert=True)
    Photo.objects.filter(pk=entry.photo_id).update(lesion=lesion)
    refresh_summary(lesion)
    if old.is_archived and not old.photos.exists():
        old.delete()
    else:
        refresh_summary(old)
