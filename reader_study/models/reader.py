from datetime import date

from django.core.validators import MaxValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _


class ReaderGroup(models.Model):
    """Readers of one kind, drawn with one mark. ``key`` is what files call it; ``place`` chooses its mark."""

    study = models.ForeignKey("reader_study.Study", models.CASCADE, related_name="groups")
    key = models.SlugField(max_length=40)
    name = models.CharField(_("name"), max_length=60)
    place = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["study", "place", "id"]
        constraints = [models.UniqueConstraint(fields=["study", "key"], name="one_group_a_key")]

    def __str__(self) -> str:
        return self.name


class ReaderQuerySet(models.QuerySet):
    def counted(self) -> "ReaderQuerySet":
        """Those whose answers count: no previews, nobody withdrawn."""
        return self.filter(is_preview=False, withdrawn_at=None)


class Reader(models.Model):
    """A person who reads in one study, by a link and without an account. Only the hash of its secret is kept.

    ``code`` ("R03") stands for the person in figures and files. A preview reader is the coordinator trying the
    study; it never counts.
    """

    study = models.ForeignKey("reader_study.Study", models.CASCADE, related_name="readers")
    group = models.ForeignKey(ReaderGroup, models.PROTECT, null=True, related_name="readers")
    code = models.CharField(max_length=40)
    name = models.CharField(_("name"), max_length=120, blank=True)
    email = models.EmailField(_("e-mail"), blank=True)
    years_of_practice = models.PositiveSmallIntegerField(
        _("years of practice"), null=True, blank=True, validators=[MaxValueValidator(70)]
    )
    # Where the reader works, as the study calls it; "" where it says nothing of centres.
    centre = models.CharField(_("centre"), max_length=80, blank=True)
    # What the reader's pages and mails are written in; "": as the browser asks for.
    language = models.CharField(max_length=10, blank=True)
    # The reader's own day, else the study's holds.
    ends_on = models.DateField(null=True, blank=True)
    # Tries at the practice that were allowed beyond those of the study.
    more_tries = models.PositiveSmallIntegerField(default=0)
    is_preview = models.BooleanField(default=False)
    secret_sha256 = models.CharField(max_length=64, unique=True, null=True)
    link_made_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    first_seen_at = models.DateTimeField(null=True)
    last_seen_at = models.DateTimeField(null=True)
    reminded_at = models.DateTimeField(null=True)
    # The newest with the link, and the newest reminder.
    letter = models.ForeignKey("skinclinic.Letter", models.SET_NULL, null=True, related_name="+")
    reminder = models.ForeignKey("skinclinic.Letter", models.SET_NULL, null=True, related_name="+")
    withdrawn_at = models.DateTimeField(null=True)
    # Whether single-key shortcuts work for this reader.
    uses_keys = models.BooleanField(default=True)

    objects = ReaderQuerySet.as_manager()

    class Meta:
        ordering = ["study", "id"]
        constraints = [models.UniqueConstraint(fields=["study", "code"], name="one_reader_a_code")]

    def __str__(self) -> str:
        return self.name or self.code

    @property
    def wanted_by(self) -> date | None:
        """The day by which this reader's answers are wanted."""
        return self.ends_on or self.study.ends_on
