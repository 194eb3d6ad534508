from django.db import models

from skinclinic.imaging import Box
from skinclinic.models import Job


class TryRun(models.Model):
    """A photo classified without a patient record. It has no clinic and is gone within an hour.

    ``token`` is the unguessable address of the result.
    """

    token = models.CharField(max_length=43, unique=True)
    model_version = models.ForeignKey("classifier.ModelVersion", models.CASCADE, related_name="+")
    job = models.OneToOneField("skinclinic.Job", models.SET_NULL, null=True, related_name="try_run")
    file_key = models.CharField(max_length=120)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    box_x = models.PositiveIntegerField()
    box_y = models.PositiveIntegerField()
    box_size = models.PositiveIntegerField()
    # Keyed hash of who sent it (account or address), for the rate limit.
    sender = models.CharField(max_length=64, db_index=True)
    # {"scores", "background", "quality", "unlike", "runtime", "precision", "maps": [12 heatmaps of rows in [0, 1]]}
    result = models.JSONField(null=True)
    # What was changed when the photo was stored: codes of ``imaging.NOTES``.
    notes = models.JSONField(default=list)
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    def __str__(self) -> str:
        return self.token

    @property
    def state(self) -> str:
        """That of its job; without one (it was swept away) the run has failed."""
        if self.result:
            return Job.State.DONE
        return self.job.state if self.job else Job.State.FAILED

    @property
    def box(self) -> Box:
        return Box(self.box_x, self.box_y, self.box_size)
