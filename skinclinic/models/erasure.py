"""What is left of a patient who was erased, and for how long a clinic keeps what."""

import uuid

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Erasure(models.Model):
    """That a patient was erased: who, when, why and how much. Nothing in it names the patient.

    ``trace``: keys of rows and keyed hashes, by which what comes back with a backup is known again (see
    ``services/erasing/trace.py``). ``done_at``: when files, too, were gone. The same stands in the list of erasures, a
    file that no restored database brings back to an earlier state.
    """

    class Reason(models.TextChoices):
        ASKED = "asked", _("The patient asks for it (GDPR, PIPA)")
        NOT_OURS = "not_ours", _("Should never have been stored here")
        ORDERED = "ordered", _("A court or an authority orders it")
        RETENTION = "retention", _("Kept for its time")

    CHOSEN = (Reason.ASKED, Reason.NOT_OURS, Reason.ORDERED)

    number = models.UUIDField(default=uuid.uuid4, unique=True)
    clinic = models.ForeignKey("skinclinic.Clinic", models.CASCADE, related_name="erasures")
    reason = models.CharField(_("reason"), max_length=9, choices=Reason.choices)
    # {what: how many}
    counts = models.JSONField(default=dict)
    trace = models.JSONField(default=dict)
    at = models.DateTimeField(default=timezone.now)
    # Nobody: its time was over, or the list of erasures was applied to a restored backup.
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    done_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-at", "-id"]

    def __str__(self) -> str:
        return f"#{self.pk}"


def _days(name) -> models.PositiveSmallIntegerField:
    return models.PositiveSmallIntegerField(
        name, null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(3650)]
    )


class Retention(models.Model):
    """For how long a clinic keeps what it need not keep for ever; empty: for ever."""

    clinic = models.OneToOneField("skinclinic.Clinic", models.CASCADE, related_name="retention")
    patients_years = models.PositiveSmallIntegerField(
        _("patients without consent to the archive: years after their last visit"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
    )
    exports_days = _days(_("tables of exports: days"))
    imports_days = _days(_("unfinished imports: days"))
    readers_months = models.PositiveSmallIntegerField(
        _("names and addresses of readers: months after the study was closed"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(240)],
    )
    # From when the rules of now hold: whoever sets them sees first what will go.
    begins_on = models.DateField(null=True)
    ran_at = models.DateTimeField(null=True)
    changed_at = models.DateTimeField(auto_now=True)
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    def __str__(self) -> str:
        return f"{self.clinic}"
