from django.db import models
from django.utils.translation import gettext_lazy as _

_IS_OPEN = models.Q(state__in=["queued", "running", "failed"])


class Job(models.Model):
    """Work that must happen. The row is the truth; a broker message only wakes a worker.

    ``key`` names what the job computes, so asking twice makes one job. ``subject`` is the primary key of
    the row it works for. A running job belongs to the worker that holds ``lease_token`` until
    ``lease_until``; after that anyone may take it.
    """

    class State(models.TextChoices):
        QUEUED = "queued", _("Queued")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")

    kind = models.CharField(max_length=32)
    key = models.CharField(max_length=160)
    # Null for kinds without a row; the work of all others reads it.
    subject: "models.BigIntegerField[int | None, int]" = models.BigIntegerField(  # type: ignore[misc]  # see above
        null=True
    )
    clinic = models.ForeignKey("skinclinic.Clinic", models.CASCADE, null=True, related_name="jobs")
    state = models.CharField(max_length=8, choices=State.choices, default=State.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    progress = models.FloatField(default=0.0)
    lease_until = models.DateTimeField(null=True)
    lease_token = models.UUIDField(null=True, db_index=True)
    # The process that took it last, HOST:NUMBER; "" for none.
    worker = models.CharField(max_length=120, blank=True, db_default="")
    error_code = models.CharField(max_length=40, blank=True)
    error = models.TextField(blank=True)
    # Of a job that is to be tried again: nobody takes it before. Since when it waits, where it was asked for again.
    not_before = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "key"], name="one_job_a_key")]
        indexes = [
            models.Index(fields=["kind", "state", "id"], name="job_next"),
            # What is not over, or failed, is little among all that was ever done.
            models.Index(fields=["state", "id"], name="job_open", condition=_IS_OPEN),
            models.Index(fields=["clinic", "state", "id"], name="job_open_of", condition=_IS_OPEN),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.key} {self.state}"


class WorkerSeen(models.Model):
    """When a worker process last said it is alive."""

    name = models.CharField(max_length=120, unique=True)
    seen_at = models.DateTimeField()
    # Why it takes no jobs although it is alive (``engine.health``); "": it does.
    trouble = models.CharField(max_length=20, blank=True, db_default="")
    began_at = models.DateTimeField(null=True)
    # Of its machine and of its jobs since then: {"machine": ``engine.machine.told``, "jobs": ``engine.tally.told``}.
    told: "models.JSONField[dict | None, dict | None]" = models.JSONField(null=True)

    def __str__(self) -> str:
        return self.name
