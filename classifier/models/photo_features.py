from django.db import models
from django.db.models.functions import Now

from skinclinic.imaging import Box


class PhotoFeatures(models.Model):
    """What a model version made of one square of a photo before its last linear layer, to find photos like it.

    ``values``: float16 [D], least byte first, in the network's own units (what it pools over its last feature maps;
    D is 1280 of EfficientNet-Lite0, 2048 of ResNet-152). Made in the pass that gave the first answer to the square,
    in its precision; rows are added and deleted, never changed. Of a square that was covered for good there is none.
    """

    clinic = models.ForeignKey("skinclinic.Clinic", models.CASCADE, related_name="+")
    photo = models.ForeignKey("skinclinic.Photo", models.CASCADE, related_name="features")
    model_version = models.ForeignKey("classifier.ModelVersion", models.CASCADE, related_name="+")
    box_x = models.PositiveIntegerField()
    box_y = models.PositiveIntegerField()
    box_size = models.PositiveIntegerField()
    values = models.BinaryField()
    # By the clock of the database, which all processes share.
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["id"]
        verbose_name_plural = "photo features"
        constraints = [
            models.UniqueConstraint(
                fields=["photo", "model_version", "box_x", "box_y", "box_size"],
                name="one_features_a_photo_model_and_box",
            )
        ]
        indexes = [models.Index(fields=["clinic", "model_version", "id"], name="features_by_model")]

    def __str__(self) -> str:
        return f"{self.photo_id} × {self.model_version_id}"

    @property
    def box(self) -> Box:
        return Box(self.box_x, self.box_y, self.box_size)
