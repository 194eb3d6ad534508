from django.conf import settings
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models


class Session(AbstractBaseSession):
    """A browser that is signed in, or was a visitor's: whose it is, on which device, and when it was last used."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="sessions")
    # What the browser says of itself.
    device = models.CharField(max_length=300, blank=True)
    address = models.GenericIPAddressField(null=True)
    started_at = models.DateTimeField()
    # By a person: what a page asks of its own accord does not count.
    used_at = models.DateTimeField()

    class Meta(AbstractBaseSession.Meta):
        abstract = False
        ordering = ["-used_at"]

    @classmethod
    def get_session_store_class(cls):
        from skinclinic.web.sessions import SessionStore

        return SessionStore
