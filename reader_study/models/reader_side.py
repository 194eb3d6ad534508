"""What readers say and do before their first photo: consent, what they tell of themselves, tries at the practice."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class ReaderConsent(models.Model):
    """A decision about taking part, each kept. ``text`` is what the reader had read, ``version`` the start of the
    SHA-256 of all languages of it."""

    class Decision(models.TextChoices):
        ACCEPTED = "accepted", _("Takes part")
        REFUSED = "refused", _("Does not take part")
        WITHDRAWN = "withdrawn", _("Consent withdrawn")

    reader = models.ForeignKey("reader_study.Reader", models.CASCADE, related_name="consents")
    decision = models.CharField(max_length=9, choices=Decision.choices)
    version = models.CharField(max_length=12)
    language = models.CharField(max_length=10)
    text = models.TextField(blank=True)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.reader_id}: {self.decision}"


class ReaderAbout(models.Model):
    """What a reader says of himself or herself, all of it optional; shown and exported as counts. The keys are those
    of ``about_reader.QUESTIONS``."""

    reader = models.OneToOneField("reader_study.Reader", models.CASCADE, related_name="about")
    specialty = models.CharField(max_length=20, blank=True)
    years = models.PositiveSmallIntegerField(null=True, blank=True)
    dermoscopy = models.CharField(max_length=20, blank=True)
    device = models.CharField(max_length=20, blank=True)
    saved_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"{self.reader_id}"


class PracticeTry(models.Model):
    """One way through the practice photos, where a study has a passing mark. ``answers``: {number of the photo:
    choice}, the first of each."""

    reading = models.ForeignKey("reader_study.Reading", models.CASCADE, related_name="tries")
    number = models.PositiveSmallIntegerField()
    answers = models.JSONField(default=dict)
    right = models.PositiveSmallIntegerField(default=0)
    is_passed = models.BooleanField(default=False)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["reading", "number"]
        constraints = [models.UniqueConstraint(fields=["reading", "number"], name="one_try_a_number")]

    def __str__(self) -> str:
        return f"{self.reading_id}: {self.number}"
