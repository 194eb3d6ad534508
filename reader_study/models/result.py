from django.db import models
from django.utils.translation import gettext_lazy as _


class StudyResult(models.Model):
    """The computed report of a study; the report itself lies in its folder. ``facts`` repeat what lists need."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")

    study = models.OneToOneField("reader_study.Study", models.CASCADE, related_name="result")
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    number = models.PositiveIntegerField(default=1)
    total = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    error = models.TextField(blank=True)
    facts = models.JSONField(default=dict, blank=True)
    asked_at = models.DateTimeField(auto_now=True)
    computed_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.study_id}: {self.state}"

    @property
    def is_busy(self) -> bool:
        return self.state in (self.State.WAITING, self.State.RUNNING)
