"""Following the model in use: one record a rule, the cases it has counted, the alarms it has raised."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from classifier.models.model_version import ModelVersion, ThresholdSet


class Monitor(models.Model):
    """A record of how a model in use fares in a clinic, by a rule that is stated before the first case is counted and
    never changed; another rule is another record.

    ``rule``: see ``services.following.rules.Rule``. ``evidence``: {endpoint: ``metrics.sequential.Evidence`` as JSON},
    only ever added to. ``figures``: what the page shows, computed by a job (``services.following.figures``). Figures
    are of photos since ``followed_since``, the evidence of proofs since ``started_at``.
    """

    clinic = models.ForeignKey("skinclinic.Clinic", models.CASCADE, related_name="monitors")
    model_version = models.ForeignKey(ModelVersion, models.CASCADE, related_name="monitors")
    threshold_set = models.ForeignKey(ThresholdSet, models.PROTECT, null=True, related_name="+")
    rule = models.JSONField()
    followed_since = models.DateTimeField()
    started_at = models.DateTimeField(auto_now_add=True)
    started_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    ended_at = models.DateTimeField(null=True)
    evidence = models.JSONField(default=dict, blank=True)
    figures = models.JSONField(default=dict, blank=True)
    computed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["clinic"], condition=models.Q(ended_at=None), name="one_open_monitor_a_clinic"
            )
        ]

    def __str__(self) -> str:
        return f"{self.clinic}: {self.model_version}"


class MonitorCase(models.Model):
    """A case that an endpoint of a monitor has counted, once and as it was told then, so that it is not counted again.

    It outlives its lesion. ``proof``: the lesion's first pathology, ``photo``: the one that counted, each where the
    endpoint is of such; they go along where photos are filed into another lesion. ``patient``: whose they were when the
    record was last computed, for when all of them lie in the bin or are gone (``services.following.counted``).
    """

    clinic = models.ForeignKey("skinclinic.Clinic", models.CASCADE, related_name="+")
    monitor = models.ForeignKey(Monitor, models.CASCADE, related_name="cases")
    endpoint = models.CharField(max_length=16)
    lesion = models.ForeignKey("skinclinic.Lesion", models.SET_NULL, null=True, related_name="+")
    proof = models.ForeignKey("skinclinic.Diagnosis", models.SET_NULL, null=True, related_name="+")
    photo = models.ForeignKey("skinclinic.Photo", models.SET_NULL, null=True, related_name="+")
    patient = models.ForeignKey("skinclinic.Patient", models.SET_NULL, null=True, related_name="+")
    hit = models.BooleanField()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["monitor", "endpoint", "lesion"], name="one_case_a_monitor_endpoint_and_lesion"
            )
        ]

    def __str__(self) -> str:
        return f"{self.monitor_id}: {self.endpoint}"


class MonitorAlarm(models.Model):
    """An alarm of a monitor's endpoint; raised once. ``facts``: {cases, hits, reference, evidence} of then, and of the
    last of these cases {last_cases, last_hits}."""

    clinic = models.ForeignKey("skinclinic.Clinic", models.CASCADE, related_name="model_alarms")
    monitor = models.ForeignKey(Monitor, models.CASCADE, related_name="alarms")
    endpoint = models.CharField(max_length=16)
    raised_at = models.DateTimeField(auto_now_add=True)
    facts = models.JSONField()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["monitor", "endpoint"], name="one_alarm_a_monitor_and_endpoint")
        ]

    def __str__(self) -> str:
        return f"{self.monitor}: {self.endpoint}"
