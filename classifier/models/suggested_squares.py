from django.db import models

from skinclinic.imaging import Box


class SuggestedSquares(models.Model):
    """Squares of a photo that a model version proposes, for a person to choose from (``classifier.analysing.squares``).

    ``squares``: [[left, top, side], …] in pixels of the stored photo, the likeliest first, at most 5, or none. Deleted
    when an area of the photo is covered: what is there no more may be told from them.
    """

    clinic = models.ForeignKey("skinclinic.Clinic", models.CASCADE, related_name="+")
    photo = models.ForeignKey("skinclinic.Photo", models.CASCADE, related_name="suggested_squares")
    model_version = models.ForeignKey("classifier.ModelVersion", models.CASCADE, related_name="+")
    made_at = models.DateTimeField(auto_now_add=True)
    squares = models.JSONField(default=list)
    runtime = models.CharField(max_length=120, blank=True, default="")
    precision = models.CharField(max_length=8, blank=True, default="")

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "suggested squares"
        constraints = [
            models.UniqueConstraint(
                fields=["photo", "model_version"], name="one_suggestion_a_photo_and_model"
            )
        ]

    def __str__(self) -> str:
        return f"{self.photo_id} × {self.model_version_id}"

    @property
    def boxes(self) -> list[Box]:
        return [Box(*square) for square in self.squares]
