"""Filing a photo back under the patient and the lesion it had before an import moved it.

The lesion that a move had left empty is gone; it is made anew. A lesion without a name is of one photo.
"""

from collections.abc import Mapping

from skinclinic.archive.models import Entry, Import
from skinclinic.archive.services.importing.fields import lesion_note
from skinclinic.models import Lesion, Patient, Photo
from skinclinic.services.lesions import refresh_summary

FILED = ("patient", "lesion")


def names(lesion: Lesion) -> dict[str, str]:
    """By what a change's history knows where a photo is filed."""
    return {"patient": lesion.patient.code if lesion.patient else "", "lesion": lesion.note}


def file_back(entry: Entry, changed: Mapping[str, tuple[str, str]], by: Import) -> bool:
    """Move the photo back; False if somebody has filed it elsewhere since. ``changed``: of ``FILED`` those that the
    import had changed, before and after. Call it in a transaction that holds the entry."""
    left = entry.photo.lesion
    now = names(left)
    if any(now[name] != after for name, (_before, after) in changed.items()):
        return False
    before = now | {name: value for name, (value, _after) in changed.items()}
    patient = _patient(before["patient"], by)
    lesion = _lesion(before["lesion"], patient, entry, by)
    Photo.objects.filter(pk=entry.photo_id).update(lesion=lesion)
    beginning = lesion_note(entry.source, "")
    named = before["lesion"].removeprefix(beginning) if before["lesion"].startswith(beginning) else ""
    Entry.objects.filter(pk=entry.pk).update(
        patient=patient, patient_key=patient.pk if patient else 0, source_lesion=named
    )
    entry.photo.lesion, entry.patient = lesion, patient
    refresh_summary(lesion)
    _drop_if_empty(left, by)
    return True


def _patient(code: str, by: Import) -> Patient | None:
    if not code:
        return None
    defaults = {"is_archived": True, "created_by": by.created_by}
    return Patient.objects.get_or_create(clinic=by.clinic, code=code, defaults=defaults)[0]


def _lesion(note: str, patient: Patient | None, entry: Entry, by: Import) -> Lesion:
    there = Lesion.objects.filter(clinic=by.clinic, patient=patient, note=note, is_archived=True)
    found = there.order_by("pk").first() if note else None
    return found or Lesion.objects.create(
        clinic=by.clinic,
        patient=patient,
        note=note,
        site=entry.site,
        created_by=by.created_by,
        is_archived=True,
    )


def _drop_if_empty(lesion: Lesion, by: Import) -> None:
    """What the import had made for the photo goes with its last one."""
    if not lesion.is_archived or lesion.photos.exists():
        refresh_summary(lesion)
        return
    patient = lesion.patient_id
    lesion.delete()
    if patient:
        Patient.objects.filter(
            pk=patient, is_archived=True, lesions=None, created_at__gte=by.created_at
        ).delete()
