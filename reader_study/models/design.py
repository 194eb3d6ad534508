"""How the reading is shared out among readers, and what each reader got."""

from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _


class StudyDesign(models.Model):
    """A study without a row is read in full: every reader reads every photo in every session.

    ``blocks``: the sample is split into so many, ``blocks_a_reader`` are each reader's. ``repeats``: photos of each
    block that come a second time in the same session. ``seed`` is drawn when the study opens, so that nobody who
    makes the study can choose or know an allocation before. ``keeps_patients``: the blocks were
    dealt so that no patient and no lesion is in two of them, as far as these are known.
    """

    class Arms(models.TextChoices):
        ALL = "all", _("Every reader reads in every session, in the same order")
        PARALLEL = "parallel", _("Parallel arms: each reader is drawn to read with the model or without it")
        CROSSOVER = (
            "crossover",
            _("Crossover: each reader reads with and without the model, in an order drawn by lot"),
        )

    study = models.OneToOneField("reader_study.Study", models.CASCADE, related_name="design")
    arms = models.CharField(_("arms"), max_length=9, choices=Arms.choices, default=Arms.ALL)
    blocks = models.PositiveSmallIntegerField(
        _("blocks of photos"), default=1, validators=[MinValueValidator(1)]
    )
    blocks_a_reader = models.PositiveSmallIntegerField(
        _("blocks each reader reads"), default=1, validators=[MinValueValidator(1)]
    )
    repeats = models.PositiveSmallIntegerField(_("photos of each block shown twice"), default=0)
    seed = models.PositiveBigIntegerField(null=True)
    keeps_patients = models.BooleanField(default=False)

    def __str__(self) -> str:
        return f"{self.study_id}: {self.arms}"

    @property
    def is_plain(self) -> bool:
        return self.arms == self.Arms.ALL and self.blocks == 1 and not self.repeats


class Allocation(models.Model):
    """The place in the study's list that a reader got: never changed, never given to another, also when the reader
    withdraws. ``arm``: the sessions' keys in the reader's order, [] for all as they come; ``blocks``: numbers from 1,
    [] where the sample is not split."""

    study = models.ForeignKey("reader_study.Study", models.CASCADE, related_name="allocations")
    reader = models.OneToOneField("reader_study.Reader", models.CASCADE, related_name="allocation")
    place = models.PositiveIntegerField()
    arm = models.JSONField(default=list)
    blocks = models.JSONField(default=list)

    class Meta:
        ordering = ["study", "place"]
        constraints = [models.UniqueConstraint(fields=["study", "place"], name="one_allocation_a_place")]

    def __str__(self) -> str:
        return f"{self.study_id}: {self.place}"
