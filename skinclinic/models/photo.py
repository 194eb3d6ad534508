from datetime import timedelta
from datetime import timezone as fixed_zone

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from skinclinic.imaging import Box, largest_centred_square


class Photo(models.Model):
    """A photo of a lesion, stored upright, in sRGB and without metadata.

    ``file_key`` and ``thumbnail_key`` are paths below PHOTOS_DIR made by us; the uploaded file's name is
    only text to show. ``sha256`` is that of the uploaded bytes and finds the same file sent twice.

    Several lesions in one picture are several photos of it, each with its square, lesion, answer and files of its own.
    They share ``picture`` ("": nobody else's); all but the one that was uploaded are ``is_further_square``.
    """

    class Kind(models.TextChoices):
        CLOSE_UP = "close_up", _("Clinical close-up")
        OVERVIEW = "overview", _("Overview")
        DERMOSCOPIC = "dermoscopic", _("Dermoscopic")

    # No column: whether the upload that found this row has given it back a lost file.
    given_back = False

    clinic = models.ForeignKey("skinclinic.Clinic", models.CASCADE, related_name="photos")
    lesion = models.ForeignKey("skinclinic.Lesion", models.CASCADE, related_name="photos")
    kind = models.CharField(_("kind"), max_length=12, choices=Kind.choices, default=Kind.CLOSE_UP)
    # What the camera's clock showed, as local time of the server; when that was elsewhere, only the offset tells.
    captured_at = models.DateTimeField(_("taken"), null=True, blank=True)
    # Minutes by which that clock was ahead of UTC, where the file says so.
    captured_offset = models.SmallIntegerField(null=True, blank=True)
    original_name = models.CharField(_("file name"), max_length=200, blank=True)
    sha256 = models.CharField(max_length=64)
    file_key = models.CharField(max_length=120)
    thumbnail_key = models.CharField(max_length=120)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    source_format = models.CharField(max_length=8)
    # Codes of what was done to the upload (first frame only, tail removed …).
    notes = models.JSONField(default=list, blank=True)
    is_synthetic = models.BooleanField(default=False)
    # What its lesion says, again, so that an index passes over an archive. Rows of former versions are marked by a job:
    # ask the lesion, too.
    is_archived = models.BooleanField(default=False, db_default=False)
    # The square that is analysed, in pixels of the stored photo; none: the largest centred square.
    box_x = models.PositiveIntegerField(null=True, blank=True)
    box_y = models.PositiveIntegerField(null=True, blank=True)
    box_size = models.PositiveIntegerField(null=True, blank=True)
    picture = models.CharField(max_length=32, blank=True, db_index=True)
    is_further_square = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    uploaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    # Said of those that a lesion's page shows.
    answer: object

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["clinic", "sha256"],
                condition=models.Q(is_further_square=False),
                name="one_file_a_clinic",
            )
        ]
        indexes = [
            models.Index(fields=["clinic", "sha256"], name="photo_by_file"),
            models.Index(fields=["clinic", "-id"], name="photo_by_clinic"),
            # What somebody has sent lately.
            models.Index(fields=["uploaded_by", "created_at"], name="photo_by_sender"),
            # Few are of another kind than most, or drawn.
            models.Index(
                fields=["clinic", "kind", "-id"], name="photo_by_kind", condition=~models.Q(kind="close_up")
            ),
            models.Index(
                fields=["clinic", "-id"], name="photo_synthetic", condition=models.Q(is_synthetic=True)
            ),
            models.Index(
                fields=["clinic", "-id"], name="photo_of_cases", condition=models.Q(is_archived=False)
            ),
            models.Index(
                fields=["clinic", "-id"], name="photo_of_archive", condition=models.Q(is_archived=True)
            ),
        ]

    def __str__(self) -> str:
        return self.original_name or f"#{self.pk}"

    @property
    def taken(self) -> str | None:
        """What the camera's clock showed (ISO 8601), with a zone only where the file names one."""
        if self.captured_at is None:
            return None
        shown = timezone.make_naive(self.captured_at)
        if self.captured_offset is not None:
            shown = shown.replace(tzinfo=fixed_zone(timedelta(minutes=self.captured_offset)))
        return shown.isoformat()

    @property
    def box(self) -> Box:
        """The square that is analysed."""
        if self.box_x is None or self.box_y is None or self.box_size is None:
            return largest_centred_square(self.width, self.height)
        return Box(self.box_x, self.box_y, self.box_size)
