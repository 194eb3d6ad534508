from datetime import timedelta

from django.conf import settings
from django.contrib.sessions.base_session import AbstractBaseSession, BaseSessionManager
from django.db import models
from django.utils import timezone


class SessionQuerySet(models.QuerySet):
    def living(self) -> "SessionQuerySet":
        """Those that still let somebody in."""
        now = timezone.now()
        unused = now - timedelta(seconds=settings.SESSION_IDLE_SECONDS)
        return self.filter(expire_date__gt=now, used_at__gt=unused)


class Session(AbstractBaseSession):
    """A browser that is signed in, or was a visitor's: whose it is, on which device, and when it was last used."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="sessions")
    # What the browser says of itself.
    device = models.CharField(max_length=300, blank=True)
    address = models.GenericIPAddressField(null=True)
    started_at = models.DateTimeField()
    # By a person: what a page asks of its own accord does not count.
    used_at = models.DateTimeField()

    objects = BaseSessionManager.from_queryset(SessionQuerySet)()  # type: ignore[misc]  # the base says which

    class Meta(AbstractBaseSession.Meta):
        abstract = False
        ordering = ["-used_at"]

    def __str__(self) -> str:
        """Never the key, which lets in."""
        return f"session of {self.user_id}"

    @classmethod
    def get_session_store_class(cls):
        from skinclinic.web.sessions import SessionStore

        return SessionStore
