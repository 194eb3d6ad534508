from django.conf import settings
from django.db import models


class RecordChange(models.Model):
    """What one person changed of a patient, a lesion, a note or symptoms: {field: [from, to]}. Rows are added,
    never changed."""

    clinic = models.ForeignKey("skinclinic.Clinic", models.CASCADE, related_name="+")
    patient = models.ForeignKey("skinclinic.Patient", models.CASCADE, null=True, related_name="changes")
    lesion = models.ForeignKey("skinclinic.Lesion", models.CASCADE, null=True, related_name="changes")
    note = models.ForeignKey("skinclinic.Note", models.CASCADE, null=True, related_name="changes")
    symptoms = models.ForeignKey("skinclinic.Symptoms", models.CASCADE, null=True, related_name="changes")
    fields = models.JSONField(default=dict)
    at = models.DateTimeField(auto_now_add=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.patient or self.lesion or self.note or self.symptoms}: {', '.join(self.fields)}"
