from django.conf import settings
from django.db import models


class SignInCount(models.Model):
    """Failed tries to sign in that count together: those for an account, those from an address, those of both."""

    # A hash: people type passwords into the field of the user name, too.
    key = models.CharField(primary_key=True, max_length=64)
    count = models.PositiveIntegerField(default=0)
    at = models.DateTimeField()
    # For an account and an address together: when somebody last got in.
    known_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.count} since {self.at}"


class PasswordLink(models.Model):
    """A link to choose a new password, mailed or made by an admin; only the hash of its secret is kept."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="password_links")
    secret_sha256 = models.CharField(max_length=64, unique=True)
    # None: the person asked for it.
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    made_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-made_at"]

    def __str__(self) -> str:
        return f"link for {self.user_id}"
