from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class LabelCheck(models.Model):
    """A curator's request that a model look at a selection of archive photos, to find labels it disagrees with.

    ``selection`` is the search that chose them. ``total``, ``done``, ``disagreeing`` and ``unreadable`` count
    photos.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")

    clinic = models.ForeignKey("skinclinic.Clinic", models.CASCADE, related_name="label_checks")
    model_version = models.ForeignKey("classifier.ModelVersion", models.PROTECT, related_name="label_checks")
    selection = models.JSONField(default=dict, blank=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    total = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    disagreeing = models.PositiveIntegerField(default=0)
    unreadable = models.PositiveIntegerField(default=0)
    error = models.TextField(blank=True)
    asked_at = models.DateTimeField(auto_now_add=True)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.model_version}: {self.done} / {self.total}"

    @property
    def is_busy(self) -> bool:
        return self.state in (self.State.WAITING, self.State.RUNNING)
