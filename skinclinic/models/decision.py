from django.conf import settings
from django.db import models


class PhotoDecision(models.Model):
    """What a person has decided at a photo, last and still standing; the app that asks for decisions keeps it.

    It follows its photo into another lesion. ``diagnosis`` is null where a model was set aside and nothing named.
    """

    clinic = models.ForeignKey("skinclinic.Clinic", models.CASCADE, related_name="+")
    photo = models.ForeignKey("skinclinic.Photo", models.CASCADE, related_name="decisions")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    diagnosis = models.ForeignKey("skinclinic.Diagnosis", models.CASCADE, null=True, related_name="+")
    decided_at = models.DateTimeField()
    is_malignant = models.BooleanField(default=False)
    # Whether it names what the model did not list.
    disagrees = models.BooleanField(default=False)

    class Meta:
        ordering = ["-decided_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["photo", "user"], name="one_decision_a_person_and_photo")
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.photo}"
