from pathlib import Path

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from skinclinic.models import Work


class Evaluation(Work):
    """What model versions say of frozen datasets, in figures. Its report lies in files and never changes.

    ``premalignant_as`` says to which group actinic keratosis counts where there are two. ``done`` of ``total``
    analyses are there while it runs. ``facts`` repeat what lists need of the report.
    """

    class PremalignantAs(models.TextChoices):
        BENIGN = "benign", _("Benign")
        MALIGNANT = "malignant", _("Malignant")

    clinic = models.ForeignKey("skinclinic.Clinic", models.CASCADE, related_name="evaluations")
    name = models.CharField(_("name"), max_length=120)
    model_versions = models.ManyToManyField("classifier.ModelVersion", related_name="evaluations")
    dataset_versions = models.ManyToManyField("archive.DatasetVersion", related_name="evaluations")
    premalignant_as = models.CharField(
        _("actinic keratosis counts as"),
        max_length=9,
        choices=PremalignantAs.choices,
        default=PremalignantAs.BENIGN,
    )
    # Repeats of the bootstrap of the AUCs, by photo and by patient; 0: none.
    bootstrap = models.PositiveIntegerField(_("bootstrap repeats"), default=0)
    remove_leaks = models.BooleanField(_("leave out what the model has seen"), default=False)
    facts = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["clinic", "name"],
                name="one_evaluation_a_name",
                violation_error_message=_("This clinic already has an evaluation with this name."),
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def folder(self) -> Path:
        """Where its report lies."""
        return settings.SKINCLINIC_HOME / "evaluations" / str(self.pk)
