"""The dot in the page's head."""

import pytest

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
