from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class Document(models.Model):
    """A letter or report that somebody made: who, when, of what. Of a letter all it says is kept, its letterhead with
    it, so that it is the same whenever it is fetched again; a report tells what is stored on the day."""

    class Kind(models.TextChoices):
        LETTER = "letter", _("Letter to the referrer")
        LESION = "lesion", _("Report on a lesion")
        PATIENT = "patient", _("Report on a patient")

    clinic = models.ForeignKey("skinclinic.Clinic", models.CASCADE, related_name="+")
    patient = models.ForeignKey("skinclinic.Patient", models.CASCADE, null=True, related_name="documents")
    # Gone where its photos were filed elsewhere; that the report was made stays known.
    lesion = models.ForeignKey("skinclinic.Lesion", models.SET_NULL, null=True, related_name="documents")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    language = models.CharField(max_length=8)
    # Whether the model's answer is in it.
    tells_model = models.BooleanField(default=False)
    # Of a letter: {letterhead: {name, address, phone, logo}, recipient, subject, body, signed}.
    content = models.JSONField(default=dict)
    made_at = models.DateTimeField(auto_now_add=True)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["-made_at", "-id"]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.pk}"
