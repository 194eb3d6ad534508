"""The dot in the page's head."""

import os
from datetime import timedelta

import pytest
from django.utils import timezone

from skinclinic.engine import jobs
from skinclinic.models import Job
from tests.skinclinic.pages import url

pytestmark = pytest.mark.django_db


def status(client_for, user) -> str:
    return client_for(user).get(url("engine-status")).content.decode()


def test_offline_without_workers(client_for, clinician, model_version):
    assert "Engine offline" in status(client_for, clinician)


def test_ready(client_for, clinician, model_version):
    jobs.worker_alive("w")
    assert "Engine ready" in status(client_for, clinician)


def test_counts_only_the_clinics_photos(client_for, clinician, outsider, clinic, model_version):
    jobs.worker_alive("w")
    for number in range(3):
        Job.objects.create(kind="analyse", key=str(number), clinic=clinic)
    Job.objects.create(kind="analyse", key="done", clinic=clinic, state="done")
    assert "3 photos in line" in status(client_for, clinician)
    assert "Engine ready" in status(client_for, outsider)


def test_not_ready_without_a_model(client_for, clinician):
    jobs.worker_alive("w")
    page = status(client_for, clinician)
    assert "Not ready" in page
    assert "no model yet" in page


def test_needs_sign_in(client):
    assert client.get(url("engine-status"), headers={"HX-Request": "true"}).status_code == 401


def wait_for(clinic, minutes: float, number: int = 2) -> None:
    """Photos of the clinic that have waited for so long."""
    for key in range(number):
        Job.objects.create(kind="analyse", key=f"waits {key}", clinic=clinic)
    Job.objects.update(created_at=timezone.now() - timedelta(minutes=minutes))


def test_says_how_long_the_oldest_photo_waits(client_for, clinician, clinic, model_version):
    jobs.worker_alive("w")
    wait_for(clinic, 2.2)
    assert "2 photos in line, for 2 min" in status(client_for, clinician)
    # A person has just asked for it again: it has not waited since it was new.
    Job.objects.update(not_before=timezone.now())
    assert "2 photos in line<" in status(client_for, clinician)


def test_says_that_nothing_is_finished_although_a_worker_starts_again_and_again(
    client_for, clinician, clinic, other_clinic, model_version
):
    jobs.worker_alive("w")
    wait_for(clinic, 12)
    page = status(client_for, clinician)
    assert "2 waiting, none finished for 12 min" in page and "engine-offline" in page
    done = Job.objects.create(kind="analyse", key="done", clinic=other_clinic, state="done")
    Job.objects.filter(pk=done.pk).update(finished_at=timezone.now() - timedelta(minutes=5))
    assert "none finished for 5 min" in status(client_for, clinician)
    Job.objects.filter(pk=done.pk).update(finished_at=timezone.now() - timedelta(minutes=1))
    assert "2 photos in line, for 12 min" in status(client_for, clinician), "a long line that moves"


def test_says_why_workers_rest(client_for, clinician, clinic, model_version):
    wait_for(clinic, 1)
    jobs.worker_alive("w")
    jobs.WorkerSeen.objects.update(trouble="no_photos")
    page = status(client_for, clinician)
    assert "Engine at rest, 2 waiting" in page and "does not see the photos" in page
    jobs.worker_alive("another")
    assert "2 photos in line" in status(client_for, clinician)


def test_says_that_the_disk_is_full(client_for, clinician, model_version, monkeypatch, photo):
    jobs.worker_alive("w")
    assert "Engine ready" in status(client_for, clinician)
    real = os.statvfs
    little = os.statvfs_result([4096, 4096, 1000, 100, 100, 10, 10, 10, 0, 255])
    monkeypatch.setattr(os, "statvfs", lambda path: little if "photos" in str(path) else real(path))
    page = status(client_for, clinician)
    assert "Disk full" in page and "new photos are not stored" in page
