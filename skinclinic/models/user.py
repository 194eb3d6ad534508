from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _


class User(AbstractUser):
    """A person who signs in. What they may do comes from their memberships of clinics.

    Or a service account: a program of one clinic, which has no password, cannot sign in and comes by tokens only.
    """

    display_name = models.CharField(_("name shown to colleagues"), max_length=120, blank=True)
    service_of = models.ForeignKey(
        "skinclinic.Clinic", models.CASCADE, null=True, blank=True, related_name="service_accounts"
    )

    # Not a column: who comes by a token of one clinic acts in that one alone (see permissions.memberships).
    only_clinic_id: int | None = None

    def __str__(self) -> str:
        name = self.display_name or self.get_full_name() or self.username
        return gettext("%(name)s (service account)") % {"name": name} if self.is_service else name

    @property
    def is_service(self) -> bool:
        return self.service_of_id is not None
