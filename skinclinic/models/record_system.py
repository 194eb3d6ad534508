from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class RecordSystem(models.Model):
    """The hospital's record system, from which people open a patient here (SMART App Launch, by FHIR R4).

    ``secret``: of the client, encrypted with this server's key; "" for a public client, which PKCE alone guards.
    ``identifier_system``: which of its patients' identifiers is the code here; "": any of them.
    """

    clinic = models.ForeignKey("skinclinic.Clinic", models.CASCADE, related_name="record_systems")
    name = models.CharField(_("name"), max_length=80)
    issuer = models.CharField(_("FHIR address"), max_length=300)
    client_id = models.CharField(_("client ID"), max_length=200)
    secret = models.TextField(blank=True, default="")
    identifier_system = models.CharField(_("identifier that is the patient code"), max_length=200, blank=True)
    is_on = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["clinic", "issuer"],
                name="one_record_system_an_address_and_clinic",
                violation_error_message=_("This address is set up already."),
            )
        ]

    def __str__(self) -> str:
        return self.name
