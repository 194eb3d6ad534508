"""A clinic's own words for cases, searches it keeps, and what was done to many cases at once."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _


class CaseTag(models.Model):
    """A word of the clinic for some of its cases."""

    clinic = models.ForeignKey("skinclinic.Clinic", models.CASCADE, related_name="case_tags")
    name = models.CharField(_("tag"), max_length=40)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = [Lower("name")]
        constraints = [models.UniqueConstraint("clinic", Lower("name"), name="one_case_tag_a_name")]

    def __str__(self) -> str:
        return self.name


class LesionTag(models.Model):
    """A lesion has a tag, and through it its photos."""

    clinic = models.ForeignKey("skinclinic.Clinic", models.CASCADE, related_name="+")
    lesion = models.ForeignKey("skinclinic.Lesion", models.CASCADE, related_name="tagged")
    tag = models.ForeignKey(CaseTag, models.CASCADE, related_name="tagged")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = [Lower("tag__name")]
        constraints = [models.UniqueConstraint(fields=["tag", "lesion"], name="one_tag_once_a_lesion")]

    def __str__(self) -> str:
        return f"{self.tag}: {self.lesion_id}"


class SavedSearch(models.Model):
    """A view of the worklist with its filters and order, under a name: a person's own, or the clinic's."""

    clinic = models.ForeignKey("skinclinic.Clinic", models.CASCADE, related_name="saved_searches")
    name = models.CharField(_("name"), max_length=60)
    # As ``worklist.Filters.to_json``.
    filters = models.JSONField(default=dict)
    # None: the clinic's.
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="+")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = [Lower("name")]
        constraints = [
            models.UniqueConstraint("clinic", "owner", Lower("name"), name="one_saved_search_a_name"),
            models.UniqueConstraint(
                "clinic",
                Lower("name"),
                condition=models.Q(owner=None),
                name="one_saved_search_a_name_of_the_clinic",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class CasesChange(models.Model):
    """One action on many cases. ``receipt`` says what stood before, so that it can be undone."""

    class Action(models.TextChoices):
        ASSIGN = "assign", _("Assigned")
        TAG = "tag", _("Tagged")
        UNTAG = "untag", _("Tag removed")

    clinic = models.ForeignKey("skinclinic.Clinic", models.CASCADE, related_name="+")
    action = models.CharField(max_length=8, choices=Action.choices)
    # {"value": key of the assignee or tag, "before": {lesion: what stood}}
    receipt = models.JSONField(default=dict)
    done_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    done_at = models.DateTimeField(auto_now_add=True)
    undone_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.action}: {len(self.receipt.get('before', {}))}"
