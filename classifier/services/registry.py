"""Registering model versions, publishing them to a clinic and rolling back."""

import logging
from pathlib import Path

from django.conf import settings
from django.db import transaction

from classifier import weights
from classifier.models import ModelVersion, Publication, ThresholdSet
from skinclinic.models import Clinic, User

log = logging.getLogger(__name__)


@transaction.atomic
def register(folder: Path, *, clinic: Clinic | None = None, user: User | None = None) -> ModelVersion:
    """Register the model in ``folder`` after checking its manifest and hash; a known one is returned as it is.

    Raises weights.ModelRejected. ``clinic`` None makes it available to every clinic (shipped models).
    """
    manifest = weights.check_files(folder)
    version, created = ModelVersion.objects.get_or_create(
        clinic=clinic,
        name=manifest.name,
        weights_sha256=manifest.weights_sha256,
        defaults={
            "folder": str(folder),
            "architecture": manifest.architecture,
            "manifest": manifest.to_json(),
            "registered_by": user,
        },
    )
    if created:
        for name, entry in manifest.thresholds.items():
            ThresholdSet.objects.create(
                model_version=version,
                name=name,
                purpose=entry.get("purpose", ""),
                cohort=entry.get("cohort", ""),
                values=entry["values"],
                details={k: v for k, v in entry.items() if k not in ("purpose", "cohort", "values")},
                created_by=user,
            )
    elif version.folder != str(folder):
        version.folder = str(folder)
        version.save(update_fields=["folder"])
    return version


def register_shipped() -> ModelVersion:
    """Register the models that come with the product; return the first."""
    versions = [register(folder) for folder in weights.shipped_folders()]
    return versions[0]


def published(clinic: Clinic) -> ModelVersion | None:
    """The model version this clinic uses now; before any publication, the shipped one."""
    line = Publication.objects.filter(clinic=clinic).select_related("model_version").first()
    if line:
        return line.model_version
    return ModelVersion.objects.filter(clinic=None).order_by("id").first()


def publish(version: ModelVersion, *, clinic: Clinic, user: User, reason: str = "") -> Publication:
    """Make a version the one the clinic uses from now on. Logged, effective at the next photo."""
    log.info("clinic %s publishes model %s", clinic.slug, version.name)
    return Publication.objects.create(clinic=clinic, model_version=version, published_by=user, reason=reason)


def roll_back(clinic: Clinic, *, user: User, reason: str = "") -> Publication | None:
    """Publish again the version that was in use before the current one; None when there is none."""
    lines = Publication.objects.filter(clinic=clinic)
    current = lines.first()
    before = lines.exclude(model_version=current.model_version).first() if current else None
    if before is None:
        return None
    log.info("clinic %s rolls back to model %s", clinic.slug, before.model_version.name)
    return Publication.objects.create(
        clinic=clinic,
        model_version=before.model_version,
        published_by=user,
        is_rollback=True,
        reason=reason,
    )


def available(clinic: Clinic):
    """Versions this clinic may publish: the shipped ones and its own."""
    return ModelVersion.objects.filter(clinic=None) | ModelVersion.objects.filter(clinic=clinic)


def clinic_models_dir(clinic: Clinic) -> Path:
    """Where a clinic's uploaded models lie."""
    return settings.MODELS_DIR / f"clinic-{clinic.pk}"
