import numpy as np
from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from classifier.analysing import explanation_methods
from skinclinic.models import Work


class Explanation(Work):
    """What another method than Grad-CAM says an answer rests on, asked for by a person and computed by a job.

    ``maps`` as in ``Analysis``, of its own height and width. ``layer``: whose feature maps they are made of, "" for the
    last ones. ``runtime`` and ``precision``: what computed them.
    """

    class Method(models.TextChoices):
        GRAD_CAM_PP = explanation_methods.GRAD_CAM_PP, "Grad-CAM++"
        LAYER_CAM_2X = explanation_methods.LAYER_CAM_2X, _("LayerCAM, twice as fine")
        LAYER_CAM_4X = explanation_methods.LAYER_CAM_4X, _("LayerCAM, four times as fine")
        SCORE_CAM = explanation_methods.SCORE_CAM, "Score-CAM"

    clinic = models.ForeignKey("skinclinic.Clinic", models.CASCADE, related_name="explanations")
    analysis = models.ForeignKey("classifier.Analysis", models.CASCADE, related_name="explanations")
    method = models.CharField(max_length=16, choices=Method.choices)
    asked_at = models.DateTimeField(auto_now_add=True)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    # Null until it is done.
    maps = models.BinaryField(null=True)
    map_height = models.PositiveSmallIntegerField(null=True)
    map_width = models.PositiveSmallIntegerField(null=True)
    layer = models.CharField(max_length=200, blank=True, default="")
    runtime = models.CharField(max_length=120, blank=True, default="")
    precision = models.CharField(max_length=8, blank=True, default="")

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["analysis", "method"], name="one_explanation_an_analysis_and_method"
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_method_display()} × {self.analysis_id}"

    @property
    def is_done(self) -> bool:
        # The maps themselves are large, and left out of lists.
        return self.map_height is not None

    def heatmaps(self) -> np.ndarray:
        """Return the heatmaps as float16 [12, height, width] in [0, 1], diseases in their fixed order."""
        if self.maps is None or self.map_height is None or self.map_width is None:
            raise ValueError(f"explanation {self.pk} is not done")
        flat = np.frombuffer(bytes(self.maps), dtype="<f2")
        return flat.reshape(-1, self.map_height, self.map_width)
