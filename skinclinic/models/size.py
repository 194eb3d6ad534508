"""How large a lesion is: marked on a photo beside something of known length, or measured on the patient. Rows are
withdrawn, never changed or removed, so that what was said before stays."""

from decimal import Decimal

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from skinclinic.imaging.measuring import PER_END, Line

STANDING = models.Q(withdrawn_at=None)


class Said(models.Model):
    """What somebody said; it stands until it is withdrawn."""

    clinic = models.ForeignKey("skinclinic.Clinic", models.CASCADE, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdrawn_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    class Meta:
        abstract = True
        ordering = ["-created_at", "-id"]


class PhotoScale(Said):
    """A length of ``mm`` on a photo: [x1, y1, x2, y2] in pixels as stored, each end off by ``off`` at most."""

    class Kind(models.TextChoices):
        RULER = "ruler", _("Ruler")
        STICKER = "sticker", _("Round sticker, its diameter")

    photo = models.ForeignKey("skinclinic.Photo", models.CASCADE, related_name="scales")
    kind = models.CharField(_("what it is"), max_length=8, choices=Kind.choices, default=Kind.RULER)
    mm = models.FloatField(_("length in mm"))
    points = models.JSONField()
    off = models.FloatField(default=PER_END)

    class Meta(Said.Meta):
        constraints = [
            models.UniqueConstraint(fields=["photo"], condition=STANDING, name="one_scale_a_photo")
        ]

    def __str__(self) -> str:
        return f"{self.photo}: {self.said}"

    @property
    def said(self) -> str:
        return f"{self.mm:g} mm"

    @property
    def line(self) -> Line:
        return Line(tuple(self.points), self.off)


class PhotoSize(Said):
    """The longest diameter marked on a photo, and the one across, in pixels as stored; the photo's scale makes mm of
    them."""

    photo = models.ForeignKey("skinclinic.Photo", models.CASCADE, related_name="sizes")
    longest = models.JSONField()
    across = models.JSONField(null=True, blank=True)
    off = models.FloatField(default=PER_END)

    class Meta(Said.Meta):
        constraints = [models.UniqueConstraint(fields=["photo"], condition=STANDING, name="one_size_a_photo")]

    def __str__(self) -> str:
        return f"{self.photo}: {self.longest}"

    @property
    def lines(self) -> list[Line]:
        return [Line(tuple(points), self.off) for points in (self.longest, self.across) if points]


class PatientSize(Said):
    """Measured on the patient, with a ruler."""

    lesion = models.ForeignKey("skinclinic.Lesion", models.CASCADE, related_name="sizes")
    measured_on = models.DateField(_("measured on"))
    longest_mm = models.DecimalField(
        _("longest diameter in mm"),
        max_digits=4,
        decimal_places=1,
        validators=[MinValueValidator(Decimal("0.1")), MaxValueValidator(Decimal(500))],
    )
    across_mm = models.DecimalField(
        _("across it in mm"),
        max_digits=4,
        decimal_places=1,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal("0.1")), MaxValueValidator(Decimal(500))],
    )

    class Meta(Said.Meta):
        ordering = ["measured_on", "id"]

    def __str__(self) -> str:
        return f"{self.lesion}: {self.said}"

    @property
    def said(self) -> str:
        """As it was typed: "6 × 4.5 mm"."""
        sides = [self.longest_mm, *([] if self.across_mm is None else [self.across_mm])]
        return " × ".join(f"{side:f}".removesuffix(".0") for side in sides) + " mm"
