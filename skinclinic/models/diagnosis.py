from django.conf import settings
from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from skinclinic.vocabulary import listed
from skinclinic.vocabulary.diseases import DISEASES
from skinclinic.vocabulary.ranked import Differential

DISEASE_CHOICES = [(disease.key, disease.name_en) for disease in DISEASES]


class Diagnosis(models.Model):
    """A diagnosis of a lesion: a clinician's impression or the pathology. Rows are added, never changed."""

    class Kind(models.TextChoices):
        IMPRESSION = "impression", _("Impression")
        PATHOLOGY = "pathology", _("Pathology")

    class ConfirmedBy(models.TextChoices):
        HISTOPATHOLOGY = "histopathology", _("Histopathology")
        CONFOCAL = "confocal microscopy with consensus dermoscopy", _("Confocal microscopy with dermoscopy")
        SERIAL_IMAGING = "serial imaging showing no change", _("Serial imaging showing no change")
        CONSENSUS = "single image expert consensus", _("Expert consensus on a single image")
        FOLLOW_UP = "single contributor clinical assessment", _("Clinical assessment at follow-up")

    clinic = models.ForeignKey("skinclinic.Clinic", models.CASCADE, related_name="diagnoses")
    lesion = models.ForeignKey("skinclinic.Lesion", models.CASCADE, related_name="diagnoses")
    kind = models.CharField(_("kind"), max_length=12, choices=Kind.choices)
    # One of the 12, or empty for another diagnosis named by ``icd10`` and ``text``; one of ``vocabulary.listed`` has
    # its English name there, and what else was written after "; ".
    disease = models.CharField(_("disease"), max_length=16, blank=True, choices=DISEASE_CHOICES)
    icd10 = models.CharField(_("ICD-10"), max_length=8, blank=True)
    text = models.CharField(_("in words"), max_length=2000, blank=True)
    confirmed_by = models.CharField(_("confirmed by"), max_length=60, choices=ConfirmedBy.choices, blank=True)
    diagnosed_on = models.DateField(_("date"), null=True, blank=True)
    # Of an impression: how sure, and what else it may be ({confidence, others: [{disease, icd10, text, confidence}],
    # ranks 2 to 5}); {} where nothing is said. See ``vocabulary/ranked.py``.
    differential = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    # A correction leaves the earlier row in place and marks it.
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdrawn_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["clinic", "icd10"], name="diagnosis_by_code"),
            # As lists of the API narrow them, whose order is that of keys.
            models.Index(fields=["clinic", "-id"], name="diagnosis_by_clinic"),
            models.Index(
                fields=["clinic", "disease", "-id"],
                name="diagnosis_by_disease",
                condition=models.Q(disease__gt=""),
            ),
            models.Index(
                fields=["clinic", "-id"], name="diagnosis_pathology", condition=models.Q(kind="pathology")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.disease or self.icd10 or self.text[:40]}"

    @property
    def said(self) -> str:
        """``text`` as it is shown: where it begins with a name of the list, that in the reader's language."""
        return self.text if self.disease else listed.in_words(self.icd10, self.text, get_language() or "en")

    @property
    def ranked(self) -> Differential:
        """What else the person thinks it may be, and how sure the person is."""
        return Differential.of_json(self.differential)

    @property
    def also_said(self) -> str:
        """That in one line."""
        return self.ranked.said
