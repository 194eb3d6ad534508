from django.conf import settings
from django.db import models

from skinclinic.models import Work


class LabelCheck(Work):
    """A curator's request that a model look at a selection of archive photos, to find labels it disagrees with.

    ``selection`` is the search that chose them. ``contradicted``: what neighbours say
    against labels, {rows: [{entry, label, says, share}], silent: photos of which they say nothing}; {}: not asked, as
    in checks from before. ``total``, ``done``, ``disagreeing`` and ``unreadable`` count
    photos.
    """

    clinic = models.ForeignKey("skinclinic.Clinic", models.CASCADE, related_name="label_checks")
    model_version = models.ForeignKey("classifier.ModelVersion", models.PROTECT, related_name="label_checks")
    selection = models.JSONField(default=dict, blank=True)
    disagreeing = models.PositiveIntegerField(default=0)
    contradicted = models.JSONField(default=dict, blank=True)
    unreadable = models.PositiveIntegerField(default=0)
    asked_at = models.DateTimeField(auto_now_add=True)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.model_version}: {self.done} / {self.total}"
