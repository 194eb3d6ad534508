from django.db import models


class Attempt(models.Model):
    """How often something was tried within an hour by somebody, or from an address; neither can be read from it."""

    kind = models.CharField(max_length=20)
    who = models.CharField(max_length=64)
    hour = models.DateTimeField()
    count = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "who", "hour"], name="one_count_of_attempts_an_hour")
        ]

    def __str__(self) -> str:
        return f"{self.kind}: {self.count}"
