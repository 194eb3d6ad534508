"""What a study asks of its readers and gives them, beside the photos: a part of the study's own row."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

MOST_TRIES, LONGEST_REMINDER = 20, 365


class ForReaders(models.Model):
    """``…_in``: {language: text} where a text is given in further languages; see ``services.making.texts``."""

    question_in = models.JSONField(default=dict, blank=True)
    instructions_in = models.JSONField(default=dict, blank=True)
    asks_consent = models.BooleanField(_("ask for consent before the first photo"), default=False)
    consent_text = models.TextField(_("consent"), max_length=6000, blank=True)
    consent_in = models.JSONField(default=dict, blank=True)
    asks_about_reader = models.BooleanField(_("ask readers about themselves"), default=False)
    shows_own_result = models.BooleanField(_("show readers their own result after closing"), default=False)
    practice_feedback = models.BooleanField(_("say after each practice photo what it shows"), default=False)
    # So many practice photos must be answered rightly before the session may begin.
    practice_pass = models.PositiveSmallIntegerField(
        _("practice photos that must be right"), null=True, blank=True, validators=[MinValueValidator(1)]
    )
    practice_tries = models.PositiveSmallIntegerField(
        _("how often the practice may be tried"),
        default=3,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_TRIES)],
    )
    # Days without an answer after which a reader is reminded by itself.
    reminds_every = models.PositiveSmallIntegerField(
        _("days after which a reminder is sent by itself"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(LONGEST_REMINDER)],
    )
    # When it was last looked for readers to remind.
    reminders_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        abstract = True
