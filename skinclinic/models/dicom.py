from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class ImageArchive(models.Model):
    """An image archive (PACS) that a clinic sends photos to, by DICOM or by DICOMweb."""

    class Way(models.TextChoices):
        DICOM = "dicom", _("DICOM (C-STORE)")
        WEB = "web", _("DICOMweb (STOW-RS)")

    clinic = models.ForeignKey("skinclinic.Clinic", models.CASCADE, related_name="image_archives")
    name = models.CharField(_("name"), max_length=60)
    way = models.CharField(_("how it is reached"), max_length=5, choices=Way.choices)
    # Of DICOM: where it is, what it is called (AE title), what we call ourselves there.
    host = models.CharField(_("host"), max_length=200, blank=True)
    port = models.PositiveIntegerField(_("port"), null=True, blank=True)
    called = models.CharField(_("its AE title"), max_length=16, blank=True)
    calling = models.CharField(_("our AE title"), max_length=16, blank=True)
    # Of DICOMweb: the address that /studies follows.
    url = models.URLField(_("address"), max_length=300, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["clinic", "name"],
                name="one_image_archive_a_name",
                violation_error_message=_("There is one of this name already."),
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def where(self) -> str:
        """In one line."""
        return self.url if self.way == self.Way.WEB else f"{self.called}@{self.host}:{self.port}"


class ImageSending(models.Model):
    """One photo on its way to an image archive, with the answer or without: how often it was tried, what came of it.
    Kept for 30 days. ``photo_key``: of the photo, which may be gone by then."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Not arrived yet")
        ARRIVED = "arrived", _("Arrived")
        GIVEN_UP = "given_up", _("Given up")

    clinic = models.ForeignKey("skinclinic.Clinic", models.CASCADE, related_name="+")
    archive = models.ForeignKey(ImageArchive, models.CASCADE, related_name="sendings")
    # 0: a test, which sends nothing of a patient.
    photo_key = models.PositiveBigIntegerField(default=0)
    with_answer = models.BooleanField(default=False)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    tries = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField(db_default=Now())
    # How many objects have arrived.
    arrived = models.PositiveSmallIntegerField(default=0)
    problem = models.CharField(max_length=20, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["next_at"], name="sendings_that_wait", condition=models.Q(state="waiting")),
            models.Index(fields=["clinic", "photo_key"], name="sendings_of_photo"),
        ]

    def __str__(self) -> str:
        return f"sending {self.pk}"
