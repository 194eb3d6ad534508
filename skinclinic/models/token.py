from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class ApiToken(models.Model):
    """What a program shows instead of a password. Only its hash is kept, and the row stays when it works no more.

    With a ``clinic`` it opens that one alone, whatever else its owner may enter.
    """

    class Scope(models.TextChoices):
        READ = "read", pgettext_lazy("what a token may do", "Read only")
        WRITE = "write", pgettext_lazy("what a token may do", "Read and change")

    class Why(models.TextChoices):
        OWNER = "owner", _("revoked by its owner")
        ADMIN = "admin", _("revoked by an admin")
        PASSWORD = "password", _("the password was changed")
        ACCESS = "access", _("access to a clinic was taken away")
        EVERYWHERE = "everywhere", _("signed out everywhere")

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="api_tokens")
    clinic = models.ForeignKey("skinclinic.Clinic", models.CASCADE, null=True, related_name="api_tokens")
    name = models.CharField(_("name"), max_length=80)
    scope = models.CharField(pgettext_lazy("what a token may do", "may"), max_length=5, choices=Scope.choices)
    sha256 = models.CharField(max_length=64, unique=True)
    # Its first letters, by which people tell which one it is.
    begins = models.CharField(max_length=12)
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    expires_at = models.DateTimeField(_("expires"))
    # When its owner was told that it ends soon.
    reminded_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)
    last_refused_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    revoked_why = models.CharField(max_length=10, choices=Why.choices, blank=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.name} ({self.begins}…)"

    @property
    def is_read_only(self) -> bool:
        return self.scope == self.Scope.READ

    @property
    def has_expired(self) -> bool:
        return self.expires_at <= timezone.now()

    @property
    def is_valid(self) -> bool:
        return self.revoked_at is None and not self.has_expired
