from django.conf import settings
from django.db import models
from django.utils import timezone


class RepeatedRequest(models.Model):
    """A request to store a photo that a program may send again under the same key, and what came of it. Of key and body
    only keyed hashes are kept, for a day."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    key_hash = models.CharField(max_length=64)
    body_hash = models.CharField(max_length=64)
    at = models.DateTimeField(default=timezone.now)
    # 0 while it is at work.
    status = models.PositiveSmallIntegerField(default=0)
    # No foreign key: the answer is not a part of the photo that would go into the bin with it.
    photo_key = models.BigIntegerField(null=True)
    # What the answer said besides the photo.
    said = models.JSONField(default=dict)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "key_hash"], name="one_request_a_key")]

    def __str__(self) -> str:
        return f"request {self.pk}"
