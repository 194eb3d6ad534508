from django.db import models


class KeptCount(models.Model):
    """How many rows a clinic had of something of which it has many (``services/kept_counts.py``). ``up_to``: the
    newest key there was when they were counted; ``parts``: {what they are counted by: how many}; ``keys``: of the
    first of them in their order."""

    clinic = models.ForeignKey("skinclinic.Clinic", models.CASCADE, related_name="kept_counts")
    what = models.CharField(max_length=24)
    count = models.PositiveBigIntegerField()
    up_to = models.PositiveBigIntegerField()
    parts = models.JSONField(null=True, blank=True)
    keys = models.JSONField(null=True, blank=True)
    counted_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["clinic", "what"], name="one_count_a_clinic")]

    def __str__(self) -> str:
        return f"{self.what}: {self.count}"
