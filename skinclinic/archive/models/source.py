from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

PROVENANCE = (
    "citation",
    "url",
    "licence",
    "ethics_approval",
    "consent_basis",
    "period",
    "devices",
    "population",
)


class Source(models.Model):
    """Where archive photos come from: an imported archive, or the clinic's own patients.

    What is not known stays empty and is shown as missing.
    """

    clinic = models.ForeignKey("skinclinic.Clinic", models.CASCADE, related_name="sources")
    name = models.CharField(_("name"), max_length=120)
    # The clinic's own patients; at most one.
    is_own = models.BooleanField(default=False)
    is_synthetic = models.BooleanField(_("synthetic"), default=False)
    citation = models.TextField(_("citation"), max_length=2000, blank=True)
    url = models.URLField(_("address"), max_length=400, blank=True)
    licence = models.CharField(_("licence"), max_length=120, blank=True)
    ethics_approval = models.CharField(_("ethics approval"), max_length=400, blank=True)
    consent_basis = models.CharField(_("consent basis"), max_length=400, blank=True)
    period = models.CharField(_("period"), max_length=120, blank=True)
    devices = models.CharField(_("devices"), max_length=400, blank=True)
    population = models.CharField(_("population"), max_length=400, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["clinic", "name"], name="one_source_a_name"),
            models.UniqueConstraint(
                fields=["clinic"], condition=models.Q(is_own=True), name="one_own_source_a_clinic"
            ),
        ]

    def __str__(self) -> str:
        return self.name
