from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from skinclinic.archive.models.entry import LABEL_LENGTH


class BackgroundDisease(models.Model):
    """A disease beyond the 12, under its own name; it counts as "others"."""

    clinic = models.ForeignKey("skinclinic.Clinic", models.CASCADE, related_name="background_diseases")
    name = models.CharField(_("name"), max_length=LABEL_LENGTH)
    icd10 = models.CharField(_("ICD-10"), max_length=8, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    # Counted by services.curating.vocabulary.
    photos: int

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["clinic", "name"], name="one_background_disease_a_name")
        ]

    def __str__(self) -> str:
        return self.name


class Subtype(models.Model):
    """A subtype a clinic adds to the built-in ones (``skinclinic.vocabulary.subtypes``)."""

    clinic = models.ForeignKey("skinclinic.Clinic", models.CASCADE, related_name="subtypes")
    label = models.CharField(_("label"), max_length=LABEL_LENGTH)
    name = models.CharField(_("name"), max_length=80)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["label", "name"]
        constraints = [models.UniqueConstraint(fields=["clinic", "label", "name"], name="one_subtype_a_name")]

    def __str__(self) -> str:
        return self.name
