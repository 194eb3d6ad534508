from django.db import models
from django.utils.translation import gettext_lazy as _


class WorkState(models.TextChoices):
    WAITING = "waiting", _("Waiting")
    RUNNING = "running", _("Running")
    DONE = "done", _("Done")
    REFUSED = "refused", _("Refused")
    STOPPED = "stopped", _("Stopped")
    FAILED = "failed", _("Failed")


class Work(models.Model):
    """Long work that somebody asked for: where it stands, for lists and filters. A job does it, and
    ``skinclinic.engine.work.follow`` keeps this row with its job. ``done`` of ``total`` says how far it is."""

    State = WorkState

    state = models.CharField(max_length=8, choices=WorkState.choices, default=WorkState.WAITING)
    total = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    error = models.TextField(blank=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True

    @property
    def is_busy(self) -> bool:
        return self.state in (WorkState.WAITING, WorkState.RUNNING)

    @property
    def can_go_on(self) -> bool:
        """Whether it ended before its time, so that it can be taken up again."""
        return self.state in (WorkState.STOPPED, WorkState.FAILED)
