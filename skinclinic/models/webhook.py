from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Webhook(models.Model):
    """An address of another system that is told what happens in the clinic, by ids alone.

    Its secret is made of ``nonce`` and this server's key, so that the database alone forges no message.
    """

    class Event(models.TextChoices):
        ANALYSIS = "analysis.done", _("An analysis is done")
        PATHOLOGY = "pathology.recorded", _("A pathology is recorded")
        STUDY = "study.closed", _("A study is closed")

    clinic = models.ForeignKey("skinclinic.Clinic", models.CASCADE, related_name="webhooks")
    url = models.URLField(_("Address"), max_length=300)
    events = models.JSONField(default=list)
    nonce = models.CharField(max_length=64)
    secret_sha256 = models.CharField(max_length=64)
    is_on = models.BooleanField(default=True)
    # It was turned off because nothing arrived for days.
    gave_up_at = models.DateTimeField(null=True)
    # Since when everything has failed.
    failing_since = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.url

    @property
    def event_names(self) -> list[str]:
        """In words."""
        return [str(self.Event(name).label) for name in self.events if name in self.Event.values]


class WebhookMessage(models.Model):
    """One message to a webhook: what it says, how often it was tried, what came of it. Kept for 30 days."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Not arrived yet")
        ARRIVED = "arrived", _("Arrived")
        GIVEN_UP = "given_up", _("Given up")

    clinic = models.ForeignKey("skinclinic.Clinic", models.CASCADE, related_name="+")
    webhook = models.ForeignKey(Webhook, models.CASCADE, related_name="messages")
    event = models.CharField(max_length=30)
    body = models.JSONField()
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    tries = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField(db_default=Now())
    # The status of the last answer; null where there was none, and why.
    answered = models.PositiveSmallIntegerField(null=True)
    problem = models.CharField(max_length=20, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["next_at"], name="messages_that_wait", condition=models.Q(state="waiting"))
        ]

    def __str__(self) -> str:
        return f"message {self.pk}"
