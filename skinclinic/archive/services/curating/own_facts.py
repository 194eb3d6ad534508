"""What the archive repeats of the clinic's own patients and lesions, kept true when they change there."""

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.signals import post_save
from django.dispatch import receiver
from django.utils import timezone

from skinclinic.archive.models import DatasetItem, DatasetVersion, Entry, EntryChange, RejectReason, Review
from skinclinic.archive.services.exporting import pseudonyms
from skinclinic.models import Lesion, Patient, Photo, User
from skinclinic.services import consent

# What a patient tells and each of the photos repeats.
OF_PATIENT = ("sex", "skin_type", "ethnicity")


def facts_of(lesion: Lesion) -> dict:
    """The fields of an entry that repeat its lesion and its patient."""
    patient = lesion.patient
    return {"site": lesion.site} | ({name: getattr(patient, name) for name in OF_PATIENT} if patient else {})


@receiver(post_save, sender=Patient, dispatch_uid="archive-follows-patient")
def follow_patient(instance: Patient, *, created: bool, **_rest: object) -> None:
    """Repeat the patient's facts; without consent the photos leave everything that needs it."""
    if created:
        return
    own = Entry.objects.filter(clinic=instance.clinic_id, patient=instance, source__is_own=True)
    own.update(**{name: getattr(instance, name) for name in OF_PATIENT})
    # Where somebody changed it by the product's pages or API this is done already, with that person's name.
    if not instance.permits_archive and entries_of(instance).exists():
        consent.take_effect(instance, None)


@receiver(post_save, sender=Lesion, dispatch_uid="archive-follows-lesion")
def follow_lesion(
    instance: Lesion, *, created: bool, update_fields: frozenset[str] | None = None, **_rest: object
) -> None:
    """Repeat the lesion's site, and its patient where the lesion was given to another."""
    if created or instance.is_archived:
        return
    own = Entry.objects.filter(clinic=instance.clinic_id, photo__lesion=instance, source__is_own=True)
    if update_fields is None or "site" in update_fields:
        own.exclude(site=instance.site).update(site=instance.site)
    if update_fields is None or "patient" in update_fields:
        _follow_home(own, instance)


@receiver(post_save, sender=Photo, dispatch_uid="archive-follows-photo")
def follow_photo(
    instance: Photo, *, created: bool, update_fields: frozenset[str] | None = None, **_rest: object
) -> None:
    """Repeat the patient and the site of the lesion that a photo was moved to."""
    if created or (update_fields is not None and "lesion" not in update_fields):
        return
    own = Entry.objects.filter(photo=instance, source__is_own=True)
    if own.exists():
        lesion = Lesion.objects.select_related("patient").get(pk=instance.lesion_id)
        own.exclude(site=lesion.site).update(site=lesion.site)
        _follow_home(own, lesion)


def _follow_home(own: QuerySet[Entry], lesion: Lesion) -> None:
    """Give entries of this lesion its patient, whose consent then decides."""
    moved = [entry.pk for entry in own.exclude(patient_key=lesion.patient_id or 0)]
    if not moved:
        return
    patient = lesion.patient
    facts = {name: getattr(patient, name) for name in OF_PATIENT} if patient else {}
    rows = Entry.objects.filter(pk__in=moved)
    rows.update(patient=patient, patient_key=lesion.patient_id or 0, **facts)
    # One patient on both sides of a split must show: what is not frozen yet learns whose photo it is.
    drafted = DatasetItem.objects.filter(entry__in=moved, version__state=DatasetVersion.State.DRAFT)
    drafted.update(person=pseudonyms.person(lesion.clinic_id, lesion.patient_id))
    if patient is None:
        _reject(rows, None)
    elif not patient.permits_archive:
        consent.take_effect(patient, None)


def entries_of(patient: Patient) -> QuerySet[Entry]:
    """The patient's entries that need the consent recorded here: the clinic's own, and all of an imported patient."""
    rows = Entry.objects.filter(clinic=patient.clinic_id, patient=patient)
    return rows if patient.is_archived else rows.filter(source__is_own=True)


def own_of(patient: Patient) -> QuerySet[Entry]:
    """The clinic's own of them: without consent they are rejected. What was imported with consent stays reviewed as
    it is; while the patient refuses, nothing may use it."""
    return entries_of(patient).filter(source__is_own=True)


@transaction.atomic
def consent_withdrawn(patient: Patient, user: User | None) -> int:
    """Reject the clinic's own entries of a patient who does not consent any more; return how many."""
    return _reject(own_of(patient), user)


def _reject(entries: QuerySet[Entry], user: User | None) -> int:
    rows = entries.exclude(review=Review.REJECTED)
    changes = [
        EntryChange(
            clinic_id=entry.clinic_id, entry=entry, action=EntryChange.Action.REJECTED, by=user,
            fields={"review": [entry.review, "rejected"], "reject_reason": [entry.reject_reason, "no_consent"]},
        )
        for entry in rows
    ]  # fmt: skip
    rows.update(
        review=Review.REJECTED, reject_reason=RejectReason.NO_CONSENT,
        reviewed_by=user, reviewed_at=timezone.now(),
    )  # fmt: skip
    EntryChange.objects.bulk_create(changes, batch_size=500)
    return len(changes)
