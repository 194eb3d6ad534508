"""The bin: what somebody deleted, whole, until it is restored or emptied."""

from typing import Any

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class ExactJSON(DjangoJSONEncoder):
    """Moments to the microsecond, by which rows are ordered."""

    def default(self, o: Any) -> Any:
        return o.isoformat() if hasattr(o, "isoformat") else super().default(o)


class BinItem(models.Model):
    """One act of deleting, or of making one patient of two. Its rows are gone from their tables and lie in ``rows``;
    files stay where they are. Once it has ended, only who, when, why, what kind and how many is left.

    ``counts`` {what: how many} and ``effects`` [{what, count, text}] tell what went with it and what followed
    elsewhere; ``cut`` [[model, field, key, target]]: columns of other rows that named what is gone; ``moved``: what
    a merge did to the patient that stays (see ``services/binning/merges.py``).
    """

    class Kind(models.TextChoices):
        PHOTO = "photo", _("Photo")
        LESION = "lesion", _("Lesion")
        PATIENT = "patient", _("Patient")
        MERGE = "merge", _("Merged patient")

    class Reason(models.TextChoices):
        WRONG_PATIENT = "wrong_patient", _("Of another patient")
        IDENTIFIABLE = "identifiable", _("A person can be recognised")
        MISTAKE = "mistake", _("Made by mistake")
        WITHDRAWN = "withdrawn", _("The patient asks for it (GDPR, PIPA)")
        DUPLICATE = "duplicate", _("There twice")
        OTHER = "other", pgettext_lazy("a reason", "Another reason")

    class Ended(models.TextChoices):
        RESTORED = "restored", _("Restored")
        EMPTIED = "emptied", _("Deleted for good")

    clinic = models.ForeignKey("skinclinic.Clinic", models.CASCADE, related_name="bin_items")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    # Its key in its own table, and those of where it belonged.
    key = models.BigIntegerField()
    lesion_key = models.BigIntegerField(null=True)
    patient_key = models.BigIntegerField(null=True)
    # What it is, as people know it: {code, site, name} as far as it has them; of a merge also {into}.
    told = models.JSONField(default=dict)
    reason = models.CharField(_("reason"), max_length=14, choices=Reason.choices)
    words = models.CharField(_("in your own words"), max_length=400, blank=True)
    counts = models.JSONField(default=dict)
    effects = models.JSONField(default=list)
    cut = models.JSONField(default=list)
    moved = models.JSONField(default=dict)
    # The patient that stays, of a merge.
    into = models.ForeignKey("skinclinic.Patient", models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField(auto_now_add=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    until = models.DateTimeField()
    ended_how = models.CharField(max_length=8, choices=Ended.choices, blank=True)
    ended_at = models.DateTimeField(null=True)
    # Nobody: it was emptied when its time was over.
    ended_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["clinic", "-id"], name="bin_by_clinic", condition=models.Q(ended_at=None)),
            models.Index(fields=["until"], name="bin_to_empty", condition=models.Q(ended_at=None)),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} #{self.key}"


class BinnedRow(models.Model):
    """A row that lies in the bin, as ``data``. ``name``: what nobody else may take meanwhile, the hash of a photo's
    file or a patient's code in small letters."""

    item = models.ForeignKey(BinItem, models.CASCADE, related_name="rows")
    model = models.CharField(max_length=60)
    key = models.BigIntegerField()
    # A code of 64 letters may be longer in small ones.
    name = models.CharField(max_length=200, blank=True)
    data = models.JSONField(encoder=ExactJSON)

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(fields=["name"], name="binned_by_name", condition=~models.Q(name="")),
            models.Index(fields=["model", "key"], name="binned_by_key"),
        ]

    def __str__(self) -> str:
        return f"{self.model} #{self.key}"


class FormerCode(models.Model):
    """A code under which the patient was known until two patients became one: still found by it."""

    clinic = models.ForeignKey("skinclinic.Clinic", models.CASCADE, related_name="+")
    patient = models.ForeignKey("skinclinic.Patient", models.CASCADE, related_name="former_codes")
    code = models.CharField(max_length=64)

    class Meta:
        ordering = ["code", "id"]
        indexes = [models.Index(fields=["clinic", "code"], name="patient_by_former_code")]

    def __str__(self) -> str:
        return self.code
