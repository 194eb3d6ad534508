from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from classifier.models.model_version import ModelVersion


class Shadow(models.Model):
    """A candidate that computes what the clinic's model in use answers, unseen, until it is stopped or another model
    comes into use.

    Its answers are analyses without a job (``Analysis``): no clinician sees them, no list counts them. ``figures``:
    both models on the same photos (``services.shadow.figures``), computed by a job. ``unreadable``: keys of photos
    whose file gave nothing.
    """

    class Ending(models.TextChoices):
        STOPPED = "stopped", _("stopped")
        OTHER_MODEL = "other_model", _("another model came into use")

    clinic = models.ForeignKey("skinclinic.Clinic", models.CASCADE, related_name="shadows")
    model_version = models.ForeignKey(ModelVersion, models.CASCADE, related_name="shadows")
    in_use = models.ForeignKey(ModelVersion, models.CASCADE, related_name="+")
    started_at = models.DateTimeField(auto_now_add=True)
    started_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    ended_at = models.DateTimeField(null=True)
    ending = models.CharField(max_length=12, choices=Ending.choices, blank=True, default="")
    unreadable = models.JSONField(default=list, blank=True)
    figures = models.JSONField(default=dict, blank=True)
    computed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["clinic"], condition=models.Q(ended_at=None), name="one_open_shadow_a_clinic"
            )
        ]

    def __str__(self) -> str:
        return f"{self.clinic}: {self.model_version}"
