from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class DuplicatePair(models.Model):
    """Two entries that look alike, and what a curator says of them. ``first`` has the lower key."""

    class Verdict(models.TextChoices):
        OPEN = "open", _("To decide")
        SAME_PHOTO = "photo", _("Same photo")
        SAME_LESION = "lesion", _("Same lesion")
        DIFFERENT = "different", _("Different")

    clinic = models.ForeignKey("skinclinic.Clinic", models.CASCADE, related_name="duplicate_pairs")
    first = models.ForeignKey("archive.Entry", models.CASCADE, related_name="+")
    second = models.ForeignKey("archive.Entry", models.CASCADE, related_name="+")
    # Bits in which the perceptual hashes differ, 0 to 64.
    distance = models.PositiveSmallIntegerField()
    across_patients = models.BooleanField(default=False)
    across_sources = models.BooleanField(default=False)
    verdict = models.CharField(max_length=9, choices=Verdict.choices, default=Verdict.OPEN)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["distance", "id"]
        constraints = [models.UniqueConstraint(fields=["first", "second"], name="one_pair_of_two")]
        indexes = [
            models.Index(fields=["clinic", "verdict", "distance", "id"], name="pair_next"),
            models.Index(
                fields=["clinic", "distance", "id"],
                name="pair_next_patients",
                condition=models.Q(verdict="open", across_patients=True),
            ),
            models.Index(
                fields=["clinic", "distance", "id"],
                name="pair_next_sources",
                condition=models.Q(verdict="open", across_sources=True),
            ),
            models.Index(fields=["clinic", "-id"], name="pair_decided", condition=~models.Q(verdict="open")),
        ]

    def __str__(self) -> str:
        return f"{self.first_id} ~ {self.second_id}"
