"""Lesions with answers of one's own choosing and their pathology, as rows alone: no file, no network."""

import uuid
from datetime import timedelta

from django.utils import timezone

from classifier.models import Analysis, ModelVersion, ThresholdSet
from classifier.services.following import due, records, rules
from skinclinic.models import Diagnosis, Job, Lesion, Patient, Photo
from skinclinic.vocabulary.diseases import DISEASE_KEYS

GOOD = {"brightness": 130.0, "sharpness": 60.0, "side_px": 256, "skin_fraction": 0.9, "warnings": []}


def make_version(name: str, clinic=None, **manifest) -> ModelVersion:
    """A model without files, with the thresholds "balanced" of 0.1."""
    version = ModelVersion.objects.create(
        clinic=clinic, name=name, folder=name, architecture="efficientnet_lite0", weights_sha256=uuid.uuid4().hex,
        manifest=manifest,
    )  # fmt: skip
    ThresholdSet.objects.create(
        model_version=version, name="balanced", values=dict.fromkeys(DISEASE_KEYS, 0.1), purpose="tests"
    )
    return version


def answer(
    clinic,
    version,
    *,
    lists=(),
    patient=None,
    lesion=None,
    kind="close_up",
    quality=None,
    unlike=None,
    is_synthetic=False,
    precision="f32",
) -> Analysis:
    """A photo of a new lesion (or of ``lesion``) that was answered; diseases of ``lists`` score 0.3, others little."""
    if lesion is None:
        patient = patient or Patient.objects.create(clinic=clinic, code=uuid.uuid4().hex[:12])
        lesion = Lesion.objects.create(clinic=clinic, patient=patient)
    photo = Photo.objects.create(
        clinic=clinic, lesion=lesion, kind=kind, sha256=uuid.uuid4().hex, file_key="none", thumbnail_key="none",
        width=256, height=256, source_format="JPEG", is_synthetic=is_synthetic,
    )  # fmt: skip
    job = Job.objects.create(kind="analyse", key=uuid.uuid4().hex, clinic=clinic, state=Job.State.DONE)
    return Analysis.objects.create(
        clinic=clinic, photo=photo, model_version=version, job=job, box_x=0, box_y=0, box_size=256,
        scores={key: 0.3 if key in lists else 0.01 for key in DISEASE_KEYS}, background=0.0,
        quality=quality or GOOD, unlike=unlike, analysed_at=timezone.now(), precision=precision,
    )  # fmt: skip


def prove(analysis: Analysis, disease: str) -> Diagnosis:
    """The pathology of the answered lesion, recorded now."""
    Lesion.objects.filter(pk=analysis.photo.lesion_id).update(is_proven=True, proven_disease=disease)
    return Diagnosis.objects.create(
        clinic=analysis.clinic, lesion=analysis.photo.lesion, kind="pathology", disease=disease,
        confirmed_by="histopathology",
    )  # fmt: skip


def proven(clinic, version, truth: str, *, lists=(), **how) -> Diagnosis:
    """A lesion that is answered, then proven."""
    return prove(answer(clinic, version, lists=lists, **how), truth)


def make_alarm(clinic, version, admin):
    """A record of the model that has raised an alarm of its sensitivity: of 12 proven patients none was right."""
    chosen = version.threshold_sets.first()
    rule = rules.stated(chosen, 0.05, {rules.SENSITIVITY: 0.9, rules.SPECIFICITY: 0.6}, {})
    row = records.state(clinic, version, chosen, rule, admin, "before looking")
    for _ in range(12):
        proven(clinic, version, "bcc")
    due.run(row)
    row.refresh_from_db()
    return row


def earlier(row, name: str, days: float):
    """The row with a moment of it put back."""
    type(row).objects.filter(pk=row.pk).update(**{name: timezone.now() - timedelta(days=days)})
    row.refresh_from_db()
    return row
