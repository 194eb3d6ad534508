from django.core.validators import MaxValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from reader_study import asked


class Management(models.TextChoices):
    BIOPSY = "biopsy", _("Biopsy")
    NO_BIOPSY = "no_biopsy", _("No biopsy")
    REFER = "refer", _("Refer")
    TREAT = "treat", _("Treat")


class Quality(models.TextChoices):
    GOOD = "good", pgettext_lazy("of a photo", "Good")
    ACCEPTABLE = "acceptable", pgettext_lazy("of a photo", "Acceptable")
    POOR = "poor", pgettext_lazy("of a photo", "Poor")


class NoDiagnosis(models.TextChoices):
    """Answers in the place of a diagnosis."""

    CANNOT_JUDGE = asked.CANNOT_JUDGE, _("Cannot judge")
    OUT_OF_TIME = asked.OUT_OF_TIME, _("Not answered in time")


LONGEST_TIME = 3600


class AsksOfReaders(models.Model):
    """What a study asks besides the diagnosis, and how long a photo may take.

    ``management_choices``: keys of ``Management`` to choose from, none: not asked. ``choices_after``: seconds in sight
    before anything can be chosen; ``time_limit``: seconds in sight, 0: none.
    """

    confidence_optional = models.BooleanField(_("an answer may leave the confidence out"), default=False)
    management_choices = models.JSONField(_("what readers would do"), default=list, blank=True)
    asks_quality = models.BooleanField(_("ask for the quality of the photo"), default=False)
    offers_cannot_judge = models.BooleanField(_("offer “cannot judge” as an answer"), default=False)
    asks_known = models.BooleanField(_("ask whether the reader knows the patient"), default=False)
    asks_comment = models.BooleanField(_("leave room for a remark"), default=False)
    choices_after = models.PositiveSmallIntegerField(
        _("seconds before readers can choose"), default=0, validators=[MaxValueValidator(LONGEST_TIME)]
    )
    time_limit = models.PositiveSmallIntegerField(
        _("seconds for a photo"), default=0, validators=[MaxValueValidator(LONGEST_TIME)]
    )

    class Meta:
        abstract = True


# The names of these settings, as protocol, form and API have them.
ASKED_FIELDS = tuple(field.name for field in AsksOfReaders._meta.local_fields)


class GivenBesides(models.Model):
    """What was said of a photo besides the diagnosis, and on what.

    ``timing``: "early" or "late" for an answer outside the time the study allows. ``saw_model``: whether the model's
    list of diagnoses was in view before the answer. ``device`` is phone, tablet or desktop; ``viewport`` is its width
    × height in CSS pixels and its pixel ratio, as 390x844@3.
    """

    management = models.CharField(max_length=12, blank=True)
    quality = models.CharField(max_length=12, blank=True)
    knows_patient = models.BooleanField(default=False)
    comment = models.CharField(max_length=asked.LONGEST_COMMENT, blank=True)
    timing = models.CharField(max_length=5, blank=True)
    saw_model = models.BooleanField(null=True)
    device = models.CharField(max_length=8, blank=True)
    viewport = models.CharField(max_length=24, blank=True)

    class Meta:
        abstract = True
