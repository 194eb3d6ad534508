"""Frozen datasets and models with scores of one's own choosing, evaluated without a network."""

import numpy as np

from classifier.models import Analysis, ModelVersion
from classifier.networks import training_photos, weights
from classifier.services.evaluation import evaluations
from classifier.services.models import registry
from skinclinic.archive.models import DatasetVersion, Entry
from skinclinic.archive.services.datasets import datasets, freezing
from skinclinic.engine import jobs
from skinclinic.models import Lesion, Patient
from skinclinic.vocabulary.diseases import DISEASE_KEYS
from tests import factories

LABELS = ["bcc", "bcc", "bcc", "mm", "mm", "sk", "sk", "sk", "sk", "nevus", "nevus", "ak"]


def make_entries(clinic, user, labels=LABELS, *, first: int = 0, source: str = "Cohort") -> list[Entry]:
    """Accepted photos of as many patients, half of them women, aged 20, 27, 34 …"""
    rows = []
    for n, label in enumerate(labels, start=first):
        patient = Patient.objects.create(
            clinic=clinic, code=f"{source}-{n}", sex="female" if n % 2 else "male", skin_type=1 + n % 4,
            is_archived=True,
        )  # fmt: skip
        lesion = Lesion.objects.create(clinic=clinic, patient=patient, site="cheek", is_archived=True)
        photo = factories.make_photo(clinic, user, seed=1000 + n, lesion=lesion)
        rows.append(
            factories.make_entry(
                photo, user, label=label, review="accepted", age=20 + 7 * n % 70, is_proven=True,
                source=factories.make_source(clinic, source),
            )
        )  # fmt: skip
    return rows


def freeze(clinic, user, entries, name: str = "Test set", role: str = "test") -> DatasetVersion:
    version = datasets.create(clinic, user, name, role)
    datasets.set_members(version, Entry.objects.filter(pk__in=[entry.pk for entry in entries]))
    return freezing.freeze(version, user)


def make_model(
    clinic, folder, name: str, *, seed: int = 1, trained_on=None, photos=None, **manifest
) -> ModelVersion:
    """A registered model of the clinic with files that a worker could open. ``photos``: the list of the hashes of
    those it was trained on that it brings; without one nobody knows."""
    made = factories.make_model_dir(folder / name, name=name, seed=seed)
    if photos is not None:
        training_photos.add(made, weights.read_manifest(made), photos, is_complete=True)
    version = registry.register(made, clinic=clinic)
    version.manifest |= manifest
    version.trained_on_version = trained_on
    version.save()
    return version


def score(version: ModelVersion, entries, *, strength: float = 1.5, seed: int = 0) -> np.ndarray:
    """Store analyses whose scores favour the label by ``strength`` in log odds; return them [n, 12]."""
    random = np.random.default_rng(seed)
    logits = random.normal(size=(len(entries), 12))
    for row, entry in zip(logits, entries, strict=True):
        if entry.label in DISEASE_KEYS:
            row[DISEASE_KEYS.index(entry.label)] += strength
    shares = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    shares = np.round(shares, 8)
    for row, entry in zip(shares, entries, strict=True):
        box = entry.photo.box
        Analysis.objects.create(
            clinic=entry.clinic, photo=entry.photo, model_version=version, box_x=box.x, box_y=box.y,
            box_size=box.size, scores=dict(zip(DISEASE_KEYS, map(float, row), strict=True)), background=0.0,
            maps=np.tile(np.linspace(0, 1, 49).reshape(1, 7, 7), (12, 1, 1)).astype("<f2").tobytes(),
            map_height=7, map_width=7, precision="f32", runtime="OpenVINO 2026.4.1",
        )  # fmt: skip
    return shares


def evaluated(clinic, user, models, versions, **options):
    """A finished evaluation, run by the real job."""
    options.setdefault("name", "First")
    row = evaluations.request(clinic, user, models=models, datasets=versions, **options)
    jobs.run_waiting(evaluations.JOB)
    row.refresh_from_db()
    return row
