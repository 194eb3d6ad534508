"""What is recorded of a visit besides photos: notes, and what the patient says of the lesion."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from skinclinic.models.answers import answer
from skinclinic.vocabulary import asked

LONGEST_NOTE = 4000


class Note(models.Model):
    """Somebody's words on a visit of a lesion, or on a patient. Only its author changes it or takes it back; what it
    was before is kept as ``RecordChange``."""

    clinic = models.ForeignKey("skinclinic.Clinic", models.CASCADE, related_name="+")
    # One of the two.
    patient = models.ForeignKey("skinclinic.Patient", models.CASCADE, null=True, related_name="notes")
    lesion = models.ForeignKey("skinclinic.Lesion", models.CASCADE, null=True, related_name="notes")
    # The day of the lesion's visit, as ``services/visits.py`` tells it; none for a note on a patient.
    visit_on = models.DateField(_("visit"), null=True)
    text = models.TextField(_("note"), max_length=LONGEST_NOTE)
    is_taken_back = models.BooleanField(_("taken back"), default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(patient__isnull=True, lesion__isnull=False, visit_on__isnull=False)
                | models.Q(patient__isnull=False, lesion__isnull=True, visit_on__isnull=True),
                name="note_of_a_visit_or_a_patient",
            )
        ]

    def __str__(self) -> str:
        return self.text[:40]


class Symptoms(models.Model):
    """What the patient says of a lesion at one visit, as ``vocabulary.asked.SYMPTOMS`` names it."""

    clinic = models.ForeignKey("skinclinic.Clinic", models.CASCADE, related_name="+")
    lesion = models.ForeignKey("skinclinic.Lesion", models.CASCADE, related_name="symptoms")
    visit_on = models.DateField(_("visit"))
    itch = answer(dict(asked.SYMPTOMS)["itch"])
    bleed = answer(dict(asked.SYMPTOMS)["bleed"])
    grew = answer(dict(asked.SYMPTOMS)["grew"])
    changed = answer(dict(asked.SYMPTOMS)["changed"])
    hurt = answer(dict(asked.SYMPTOMS)["hurt"])
    elevation = answer(dict(asked.SYMPTOMS)["elevation"])
    since = models.CharField(_("since when"), max_length=120, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["-visit_on"]
        verbose_name_plural = "symptoms"
        constraints = [
            models.UniqueConstraint(fields=["lesion", "visit_on"], name="symptoms_of_a_visit_once")
        ]

    def __str__(self) -> str:
        return f"{self.lesion}: {self.visit_on}"
