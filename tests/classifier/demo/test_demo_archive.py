"""The demo's archive shows each step: photos to review, a frozen version, photos that look alike."""

import pytest

from classifier.demo import archive as demo_archive
from skinclinic.archive.models import DatasetVersion, DuplicatePair, Entry
from skinclinic.archive.services.curating import duplicates
from skinclinic.archive.services.datasets import checks
from skinclinic.engine import jobs

pytestmark = pytest.mark.django_db


def test_it_has_something_for_every_page(clinic, curator, monkeypatch):
    monkeypatch.setattr(demo_archive, "PATIENTS_A_DISEASE", 2)
    monkeypatch.setattr(demo_archive, "SIZE", 128)
    demo_archive.seed_archive(clinic, curator)
    entries = Entry.objects.filter(clinic=clinic)
    assert entries.values("label").distinct().count() == 12
    assert entries.filter(review="pending").count() == demo_archive.LEFT_TO_REVIEW
    assert not entries.filter(photo__is_synthetic=False).exists()
    version = DatasetVersion.objects.get(clinic=clinic)
    assert version.is_frozen and version.items.count() == entries.filter(review="accepted").count()
    failed = {check.key for check in checks.of(version) if not check.passed}
    assert not failed & {"sizes", "patients", "reviewed", "fingerprint"}
    jobs.run_waiting(duplicates.JOB)
    assert DuplicatePair.objects.filter(clinic=clinic, across_patients=True).exists()
