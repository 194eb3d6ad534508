from pathlib import Path

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from classifier.models.model_version import ModelVersion


class Training(models.Model):
    """One or several networks trained alike from a frozen dataset; its runs differ by their seeds.

    ``init``: "imagenet", "random", or a file or model folder on the server. ``choices``: {runs, epochs, batch,
    image_size, seed, max_steps, frozen_blocks}. ``is_stopped``: somebody asked it to stop; its runs go on from
    their checkpoints when it is resumed.
    """

    clinic = models.ForeignKey("skinclinic.Clinic", models.CASCADE, related_name="trainings")
    name = models.CharField(_("name"), max_length=70)
    dataset_version = models.ForeignKey("archive.DatasetVersion", models.PROTECT, related_name="trainings")
    architecture = models.CharField(_("network"), max_length=100)
    init = models.CharField(_("starting weights"), max_length=400)
    choices = models.JSONField()
    is_stopped = models.BooleanField(default=False)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["clinic", "name"], name="one_training_name_a_clinic"),
        ]

    def __str__(self) -> str:
        return self.name


class TrainingRun(models.Model):
    """One run: a job that ends in a model version. ``progress`` is what its process last reported."""

    training = models.ForeignKey(Training, models.CASCADE, related_name="runs")
    number = models.PositiveSmallIntegerField()
    seed = models.BigIntegerField()
    job = models.OneToOneField("skinclinic.Job", models.PROTECT, related_name="training_run")
    progress = models.JSONField(default=dict, blank=True)
    model_version = models.ForeignKey(ModelVersion, models.SET_NULL, null=True, related_name="training_runs")

    class Meta:
        ordering = ["training", "number"]
        constraints = [
            models.UniqueConstraint(fields=["training", "number"], name="one_run_a_number"),
        ]

    def __str__(self) -> str:
        return self.model_name

    @property
    def model_name(self) -> str:
        """The name its model version gets: the training's, numbered if there are several runs."""
        several = self.training.choices.get("runs", 1) > 1
        return f"{self.training.name}-{self.number}" if several else self.training.name

    @property
    def folder(self) -> Path:
        """Where it keeps its checkpoint and what it reports."""
        return settings.SKINCLINIC_HOME / "training" / str(self.training_id) / str(self.number)
