from pathlib import Path

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from classifier.networks.manifest import usual_thresholds
from skinclinic.kept_queries import kept


class ModelVersion(models.Model):
    """A registered network: a folder with model.safetensors and manifest.json, known by its weights' hash.

    A version without a clinic came with the product and every clinic may publish it; one that a clinic
    registered stays with that clinic.
    """

    clinic = models.ForeignKey("skinclinic.Clinic", models.CASCADE, null=True, related_name="model_versions")
    name = models.CharField(_("name"), max_length=80)
    folder = models.CharField(max_length=300)
    architecture = models.CharField(_("architecture"), max_length=100)
    weights_sha256 = models.CharField(max_length=64)
    manifest = models.JSONField()
    registered_at = models.DateTimeField(auto_now_add=True)
    registered_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    # How its heatmaps change when parts of it are put at random (classifier.analysing.map_check); {}: not checked.
    map_check = models.JSONField(default=dict, blank=True)
    # The dataset whose training side it has seen; its items say which photos and patients that were.
    trained_on_version = models.ForeignKey(
        "archive.DatasetVersion", models.PROTECT, null=True, related_name="trained_models"
    )

    class Meta:
        ordering = ["-registered_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["clinic", "name"], name="one_model_name_a_clinic"),
            models.UniqueConstraint(
                fields=["name"], condition=models.Q(clinic=None), name="one_name_among_the_products_models"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def path(self) -> Path:
        """The folder with its files; ``folder`` is relative to MODELS_DIR, or absolute."""
        return settings.MODELS_DIR / self.folder

    def thresholds_for(self, clinic_id: int | None) -> "list[ThresholdSet]":
        """The sets that came with the model, and those that this clinic has made; oldest first."""
        return [row for row in self._threshold_sets if row.clinic_id in (None, clinic_id)]

    def usual_thresholds(self, clinic_id: int | None) -> "ThresholdSet | None":
        """Of these the one by which diseases are listed where nobody has chosen another; None of none."""
        sets = self.thresholds_for(clinic_id)
        name = usual_thresholds(row.name for row in sets)
        return next((row for row in sets if row.name == name), None)

    @property
    def _threshold_sets(self) -> "list[ThresholdSet]":
        if "threshold_sets" in getattr(self, "_prefetched_objects_cache", {}):
            return list(self.threshold_sets.all())
        rows = _threshold_sets_of(self.pk)
        for row in rows:
            row.model_version = self
        return rows

    @property
    def is_demo(self) -> bool:
        return bool(self.manifest.get("demo"))


class Publication(models.Model):
    """One line of a clinic's log of published models; the newest line says which model it uses."""

    clinic = models.ForeignKey("skinclinic.Clinic", models.CASCADE, related_name="publications")
    model_version = models.ForeignKey(ModelVersion, models.PROTECT, related_name="publications")
    published_at = models.DateTimeField(auto_now_add=True)
    published_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    is_rollback = models.BooleanField(default=False)
    reason = models.CharField(_("reason"), max_length=200, blank=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.clinic}: {self.model_version}"


class ThresholdSet(models.Model):
    """Thresholds of a model version, one a disease, named for their purpose and cohort. Never changed.

    ``clinic``: who made it from an evaluation and alone uses it; none: it came with the model.
    """

    model_version = models.ForeignKey(ModelVersion, models.CASCADE, related_name="threshold_sets")
    clinic = models.ForeignKey("skinclinic.Clinic", models.CASCADE, null=True, related_name="threshold_sets")
    name = models.CharField(_("name"), max_length=60)
    purpose = models.CharField(_("purpose"), max_length=300, blank=True)
    cohort = models.CharField(_("cohort"), max_length=600, blank=True)
    values = models.JSONField()
    # Everything else the manifest says of them: n, date, AUC, basis a disease, whether optimistic.
    details = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["model_version", "name"],
                condition=models.Q(clinic=None),
                name="one_threshold_name_a_model",
            ),
            models.UniqueConstraint(
                fields=["model_version", "clinic", "name"], name="one_threshold_name_a_model_and_clinic"
            ),
        ]

    def __str__(self) -> str:
        return self.name


@kept
def _threshold_sets_of(version: int) -> models.QuerySet[ThresholdSet]:
    return ThresholdSet.objects.filter(model_version=version)
