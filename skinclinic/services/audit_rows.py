"""Patients, lesions and photos that are made: wherever that is done, the audit tells it. What is imported is told once,
by its import."""

from typing import Any

from django.db.models.signals import post_save
from django.dispatch import receiver

from skinclinic.models import Lesion, Patient, Photo
from skinclinic.services import audit


@receiver(post_save, sender=Patient)
def patient_made(instance: Patient, created: bool, raw: bool, **kwargs: Any) -> None:
    if created and not raw and not instance.is_archived:
        audit.record("patient.make", instance, by=instance.created_by)


@receiver(post_save, sender=Lesion)
def lesion_made(instance: Lesion, created: bool, raw: bool, **kwargs: Any) -> None:
    # One that a photo opens is told by the photo.
    if created and not raw and not instance.is_archived and not instance.is_of_photo:
        audit.record("lesion.make", instance, by=instance.created_by)


@receiver(post_save, sender=Photo)
def photo_made(instance: Photo, created: bool, raw: bool, **kwargs: Any) -> None:
    if created and not raw and not instance.lesion.is_archived:
        audit.record("photo.make", instance, by=instance.uploaded_by)
