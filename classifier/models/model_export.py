from django.conf import settings
from django.db import models

from skinclinic.models import Work


class ModelExport(Work):
    """A model as files that other programs run, asked for by an admin and written by a job; kept for some days.

    ``outputs``: what the network gives there, by name (``classifier.runtimes.exporting``); ``library``: what wrote it.
    """

    class Format(models.TextChoices):
        OPENVINO = "openvino", "OpenVINO"
        ONNX = "onnx", "ONNX"

    clinic = models.ForeignKey("skinclinic.Clinic", models.CASCADE, related_name="model_exports")
    model_version = models.ForeignKey("classifier.ModelVersion", models.CASCADE, related_name="exports")
    format = models.CharField(max_length=8, choices=Format.choices)
    asked_at = models.DateTimeField(auto_now_add=True)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    outputs = models.JSONField(default=list, blank=True)
    library = models.CharField(max_length=120, blank=True, default="")

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["clinic", "model_version", "format"], name="one_export_a_model_and_format"
            )
        ]

    def __str__(self) -> str:
        return f"{self.model_version}, {self.get_format_display()}"
