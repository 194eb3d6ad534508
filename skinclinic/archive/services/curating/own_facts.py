"""What the archive repeats of the clinic's own patients and lesions, kept true when they change there."""

from django.db import transaction
from django.db.models.signals import post_save
from django.dispatch import receiver
from django.utils import timezone

from skinclinic.archive.models import Entry, EntryChange, RejectReason, Review
from skinclinic.models import Lesion, Patient, User

# What a patient tells and each of the photos repeats.
OF_PATIENT = ("sex", "skin_type", "ethnicity")


def facts_of(lesion: Lesion) -> dict:
    """The fields of an entry that repeat its lesion and its patient."""
    patient = lesion.patient
    return {"site": lesion.site} | ({name: getattr(patient, name) for name in OF_PATIENT} if patient else {})


@receiver(post_save, sender=Patient, dispatch_uid="archive-follows-patient")
def follow_patient(instance: Patient, *, created: bool, **_rest: object) -> None:
    """Repeat the patient's facts; without consent the photos are rejected."""
    if created or instance.is_archived:
        return
    own = Entry.objects.filter(clinic=instance.clinic_id, patient=instance, source__is_own=True)
    own.update(**{name: getattr(instance, name) for name in OF_PATIENT})
    if instance.research_consent != Patient.Consent.GIVEN:
        consent_withdrawn(instance, None)


@receiver(post_save, sender=Lesion, dispatch_uid="archive-follows-lesion")
def follow_lesion(
    instance: Lesion, *, created: bool, update_fields: frozenset[str] | None = None, **_rest: object
) -> None:
    """Repeat the lesion's site."""
    if created or instance.is_archived or (update_fields is not None and "site" not in update_fields):
        return
    own = Entry.objects.filter(clinic=instance.clinic_id, photo__lesion=instance, source__is_own=True)
    own.exclude(site=instance.site).update(site=instance.site)


@transaction.atomic
def consent_withdrawn(patient: Patient, user: User | None) -> int:
    """Reject the clinic's own entries of a patient who does not consent any more; return how many."""
    rows = Entry.objects.filter(
        clinic=patient.clinic_id, patient=patient, source__is_own=True
    ).exclude(review=Review.REJECTED)  # fmt: skip
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
