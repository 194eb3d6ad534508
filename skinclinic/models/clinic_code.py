from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class ClinicCode(models.Model):
    """What a clinic has changed of the shipped table of codes (``vocabulary/codes.py``): another code, a further one,
    or none (``code`` "") where one is shipped."""

    clinic = models.ForeignKey("skinclinic.Clinic", models.CASCADE, related_name="codes")
    kind = models.CharField(_("kind"), max_length=12)
    concept = models.CharField(_("concept"), max_length=32)
    # A key of ``vocabulary.codes.SYSTEMS``, or a URI.
    system = models.CharField(_("system"), max_length=200)
    code = models.CharField(_("code"), max_length=40, blank=True)
    display = models.CharField(_("what the system calls it"), max_length=200, blank=True)
    version = models.CharField(_("version of the system"), max_length=200, blank=True)
    source = models.CharField(_("where it was looked up"), max_length=200, blank=True)
    changed_at = models.DateTimeField(auto_now=True)
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["kind", "concept", "system"]
        constraints = [
            models.UniqueConstraint(
                fields=["clinic", "kind", "concept", "system"], name="one_code_a_system_and_clinic"
            )
        ]

    def __str__(self) -> str:
        return f"{self.system} {self.code or '–'}: {self.concept}"
