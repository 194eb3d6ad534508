"""What is planned with a lesion: seen again, or a biopsy whose result is awaited. Rows are ended, never removed."""

from datetime import timedelta

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class Step(models.Model):
    """One step that somebody planned. It stands until it is ended; an ending that is taken back is kept in
    ``taken_back``: [{how, at, by (a User), back_at, back_by}], oldest first."""

    class Ended(models.TextChoices):
        BY_PHOTO = "photo", _("Done: a new photo was stored")
        BY_PATHOLOGY = "pathology", _("The pathology is recorded")
        BY_HAND = "hand", _("Marked as done")
        REPLACED = "replaced", _("Replaced by another")
        UNDONE = "undone", _("Undone")

    clinic = models.ForeignKey("skinclinic.Clinic", models.CASCADE, related_name="+")
    note = models.CharField(_("note"), max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    # What stood until this was planned, and stands again when this is undone.
    replaces = models.ForeignKey("self", models.SET_NULL, null=True, related_name="+")
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    ended_how = models.CharField(max_length=10, choices=Ended.choices, blank=True)
    taken_back = models.JSONField(default=list, blank=True)

    class Meta:
        abstract = True
        ordering = ["-created_at", "-id"]


class FollowUp(Step):
    """The patient is to come back with this lesion by a day."""

    lesion = models.ForeignKey("skinclinic.Lesion", models.CASCADE, related_name="follow_ups")
    due_on = models.DateField(_("due"))
    # A reminder is mailed once for each due day.
    reminded_at = models.DateTimeField(null=True, blank=True)

    class Meta(Step.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["lesion"], condition=models.Q(ended_at=None), name="one_open_follow_up_a_lesion"
            )
        ]
        indexes = [
            models.Index(
                fields=["due_on"],
                name="follow_up_to_remind",
                condition=models.Q(ended_at=None, reminded_at=None),
            )
        ]

    def __str__(self) -> str:
        return f"{self.lesion}: {self.due_on}"


class Biopsy(Step):
    """A biopsy was taken; its result is awaited until it is recorded as pathology."""

    # From then on it is late: something may have been lost on the way.
    LATE_AFTER = timedelta(days=21)

    lesion = models.ForeignKey("skinclinic.Lesion", models.CASCADE, related_name="biopsies")
    taken_on = models.DateField(pgettext_lazy("a biopsy", "taken on"))
    taken_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        related_name="+",
        verbose_name=pgettext_lazy("a biopsy", "taken by"),
    )
    # A reminder is mailed once, when the result is late.
    reminded_at = models.DateTimeField(null=True, blank=True)

    class Meta(Step.Meta):
        verbose_name_plural = "biopsies"
        constraints = [
            models.UniqueConstraint(
                fields=["lesion"], condition=models.Q(ended_at=None), name="one_awaited_biopsy_a_lesion"
            )
        ]

    def __str__(self) -> str:
        return f"{self.lesion}: {self.taken_on}"
