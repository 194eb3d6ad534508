import numpy as np
from django.db import models
from django.utils.translation import gettext_lazy as _

from classifier.metrics.counting import set_aside
from skinclinic.imaging import Box
from skinclinic.models import Job


class AnalysisQuerySet(models.QuerySet):
    def asked_for(self) -> "AnalysisQuerySet":
        """Those that somebody asked for in the clinic; the rest were made in batches for the archive."""
        return self.filter(job__isnull=False)


class Analysis(models.Model):
    """What one model version says of one square of a photo. A new crop makes a new row.

    One without a ``job`` was made in a batch, to evaluate a model or to check labels, always in full precision: it is
    no answer to a clinician and never shown as one. A photo answered in another precision has such a row besides.

    ``scores`` is {disease key: probability} over the 12; with background classes the rest of 1 is
    ``background``. ``maps`` holds the 12 heatmaps as float16 in [0, 1], disease by disease, row by row.
    """

    clinic = models.ForeignKey("skinclinic.Clinic", models.CASCADE, related_name="analyses")
    photo = models.ForeignKey("skinclinic.Photo", models.CASCADE, related_name="analyses")
    model_version = models.ForeignKey("classifier.ModelVersion", models.PROTECT, related_name="analyses")
    # Null in those made in a batch, which ``asked_for`` leaves out.
    job: "models.OneToOneField[Job | None, Job]" = models.OneToOneField(  # type: ignore[misc]  # see above
        "skinclinic.Job", models.PROTECT, null=True, related_name="analysis"
    )
    box_x = models.PositiveIntegerField()
    box_y = models.PositiveIntegerField()
    box_size = models.PositiveIntegerField()
    # Part of the square was covered for good afterwards: it is an answer to pixels that are there no more. Its
    # heatmaps, numbers over 7 × 7 places, hold none of them and are drawn over the photo as it is stored now.
    before_cover = models.BooleanField(default=False)
    requested_at = models.DateTimeField(auto_now_add=True)
    # Which of the squares that the model suggests the person chose who asked for it (1 is the likeliest); null: none.
    suggested_square = models.PositiveSmallIntegerField(null=True)
    requested_by = models.ForeignKey("skinclinic.User", models.PROTECT, null=True, related_name="+")

    # Null until ``is_done``; whoever reads it has asked.
    scores: "models.JSONField[dict[str, float] | None, dict[str, float]]" = models.JSONField(  # type: ignore[misc]  # see above
        null=True
    )
    background = models.FloatField(null=True)
    maps = models.BinaryField(null=True)
    map_height = models.PositiveSmallIntegerField(null=True)
    map_width = models.PositiveSmallIntegerField(null=True)
    quality = models.JSONField(null=True)
    # How far the photo is from those the model was trained on, in parts of the limit: above 1 it is unlike them. Null
    # where the model does not know its training photos, and in those from before this was kept (not evaluable).
    unlike = models.FloatField(null=True)
    forward_seconds = models.FloatField(null=True)
    # How it was computed: the library with its version; "f32", "bf16" or "f16" (``classifier.runtimes``). Empty in
    # those from before this was kept.
    runtime = models.CharField(max_length=120, blank=True, default="")
    precision = models.CharField(max_length=8, blank=True, default="")
    analysed_at = models.DateTimeField(_("analysed"), null=True)

    objects = AnalysisQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "analyses"
        # The page that follows a model in use goes through its answers since a day.
        indexes = [
            models.Index(
                fields=["clinic", "model_version", "requested_at"],
                name="analysis_of_model_since",
                condition=models.Q(job__isnull=False),
            ),
            # Those of batches, which may be many and newer, are passed over.
            models.Index(
                fields=["clinic", "-id"], name="analysis_asked_for", condition=models.Q(job__isnull=False)
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["photo", "model_version", "box_x", "box_y", "box_size"],
                condition=models.Q(before_cover=False, job__isnull=is_batch),
                name=f"one_{kind}_analysis_a_photo_model_and_box",
            )
            for kind, is_batch in (("asked", False), ("batch", True))
        ]

    def __str__(self) -> str:
        return f"{self.photo} × {self.model_version}"

    @property
    def box(self) -> Box:
        return Box(self.box_x, self.box_y, self.box_size)

    @property
    def set_aside(self) -> str:
        """Why the answer does not count (overview, dermoscopic, unfit), or ""."""
        return set_aside(self.photo.kind, self.quality)

    @property
    def is_done(self) -> bool:
        return self.scores is not None

    def heatmaps(self) -> np.ndarray:
        """Return the heatmaps as float16 [12, height, width] in [0, 1], diseases in their fixed order."""
        if self.maps is None or self.map_height is None or self.map_width is None:
            raise ValueError(f"analysis {self.pk} is not done")
        flat = np.frombuffer(bytes(self.maps), dtype="<f2")
        return flat.reshape(-1, self.map_height, self.map_width)
