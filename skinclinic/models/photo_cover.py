from django.conf import settings
from django.db import models


class PhotoCover(models.Model):
    """One time that areas of a photo were covered for good: who, when, which. Rows are added, never changed.

    ``content_sha256`` is the hash of the stored file that was replaced. It is all that is kept of it: a copy that
    somebody had taken is known again when it is sent.
    """

    clinic = models.ForeignKey("skinclinic.Clinic", models.CASCADE, related_name="+")
    photo = models.ForeignKey("skinclinic.Photo", models.CASCADE, related_name="covers")
    # [{x, y, width, height, shape}] in pixels of the photo.
    areas = models.JSONField(default=list)
    content_sha256 = models.CharField(max_length=64)
    at = models.DateTimeField(auto_now_add=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["clinic", "content_sha256"], name="cover_by_content")]

    def __str__(self) -> str:
        return f"{self.photo}: {len(self.areas)}"
