"""The try page: who may, how often, and that nothing is kept beyond an hour."""

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from classifier.models import TryRun
from skinclinic.engine import housekeeping, jobs
from skinclinic.imaging import limited
from skinclinic.models import Attempt, Job, Photo
from tests import charts, factories

pytestmark = pytest.mark.django_db


def send(client, data: bytes | None = None):
    file = SimpleUploadedFile("me.jpg", factories.jpeg_bytes(5) if data is None else data, "image/jpeg")
    return client.post("/try/", {"file": file})


def stored_files(settings) -> list:
    return [path for path in settings.PHOTOS_DIR.rglob("*") if path.is_file()]


def test_from_photo_to_answer_without_a_record(client_for, clinician, model_version):
    client = client_for(clinician)
    sent = send(client)
    assert sent.status_code == 302
    assert (
        "Queued" in client.get(sent.url).content.decode()
        or "offline" in client.get(sent.url).content.decode()
    )
    assert client.get(f"{sent.url}maps").status_code == 404
    jobs.run_waiting("try")
    page = client.get(sent.url).content.decode()
    assert "Basal cell carcinoma" in page
    assert "nothing: random weights" in page
    assert "does not diagnose" in page
    assert len(client.get(f"{sent.url}maps").json()["maps"]) == 12
    image = client.get(f"{sent.url}image")
    assert "no-store" in image["Cache-Control"]
    assert b"".join(image.streaming_content)[:2] == b"\xff\xd8"
    assert not Photo.objects.exists()


def test_signed_out_people_need_an_open_page(client, clinic, model_version):
    assert client.get("/try/").status_code == 302
    assert send(client).url.startswith("/login/")
    assert not TryRun.objects.exists()
    clinic.try_page_open = True
    clinic.save()
    assert client.get("/try/").status_code == 200
    sent = send(client)
    jobs.run_waiting("try")
    assert "Basal cell carcinoma" in client.get(sent.url).content.decode()


def test_limit_an_hour(client, client_for, clinician, clinic, model_version, settings):
    """What is refused counts as well, and on the page as in the API."""
    clinic.try_page_open = True
    clinic.save()
    settings.TRIES_AN_HOUR_ADDRESS = 3
    sent = [send(client, data).status_code for data in (factories.jpeg_bytes(1), b"no photo")]
    by_api = client.post("/api/try/", {"file": SimpleUploadedFile("x.jpg", b"no photo")})
    assert [*sent, by_api.status_code] == [302, 400, 400]
    refused = send(client, factories.jpeg_bytes(2))
    assert refused.status_code == 429 and 0 < int(refused["Retry-After"]) <= 3600
    assert "many photos for one hour" in refused.content.decode()
    # Nothing is written any more, which would keep the database from others.
    with CaptureQueriesContext(connection) as asked:
        by_api = client.post("/api/try/", {"file": SimpleUploadedFile("x.jpg", factories.jpeg_bytes(2))})
    assert not [one["sql"] for one in asked if one["sql"].startswith(("INSERT", "UPDATE"))]
    assert by_api.status_code == 429 and by_api["Retry-After"]
    assert by_api.json()["error"]["code"] == "too_many"
    # A member there has an account of their own.
    assert send(client_for(clinician)).status_code == 302
    Attempt.objects.update(hour=timezone.now() - timedelta(hours=3))
    assert send(client).status_code == 302
    housekeeping.sweep()
    assert Attempt.objects.count() == 1


def test_what_is_refused_because_much_is_going_on_is_not_counted(client, clinic, model_version, monkeypatch):
    clinic.try_page_open = True
    clinic.save()
    monkeypatch.setattr(limited.Decoders, "_is_next", lambda decoders, turn: False)
    monkeypatch.setattr(limited.Decoders, "_is_full", lambda decoders, sender: True)
    by_api = client.post("/api/try/", {"file": SimpleUploadedFile("x.jpg", factories.jpeg_bytes(2))})
    assert (send(client).status_code, by_api.status_code) == (503, 503) and by_api["Retry-After"]
    assert not Attempt.objects.exists()


def test_a_line_with_billions_of_addresses_is_one_sender(client, clinic, model_version, settings):
    clinic.try_page_open = True
    clinic.save()
    settings.TRIES_AN_HOUR_ADDRESS = 1
    said = [
        client.post(
            "/try/", {"file": SimpleUploadedFile("x.jpg", b"no photo")}, REMOTE_ADDR=address
        ).status_code
        for address in ("2001:db8:1:2::3", "2001:db8:1:2:ffff::4", "2001:db8:1:3::3")
    ]
    assert said == [400, 429, 400]


def test_gone_within_the_hour(client_for, clinician, model_version, settings):
    client = client_for(clinician)
    address = send(client).url
    assert len(stored_files(settings)) == 1
    TryRun.objects.update(created_at=timezone.now() - timedelta(minutes=61))
    assert client.get(address).status_code == 404
    assert client.get(f"{address}image").status_code == 404
    housekeeping.sweep()
    assert not TryRun.objects.exists()
    assert not Job.objects.filter(kind="try").exists()


def test_gone_at_once_when_asked(
    client_for, clinician, model_version, settings, django_capture_on_commit_callbacks
):
    client = client_for(clinician)
    address = send(client).url
    assert client.get(f"{address}delete/").status_code == 405
    with django_capture_on_commit_callbacks(execute=True):
        assert client.post(f"{address}delete/").status_code == 302
    assert client.get(address).status_code == 404
    assert stored_files(settings) == []
    assert jobs.run_waiting("try") == 0


def test_a_run_deleted_before_its_job_ends_quietly(client_for, clinician, model_version):
    send(client_for(clinician))
    TryRun.objects.all().delete()
    jobs.run_waiting("try")
    assert Job.objects.get(kind="try").error_code == "photo_deleted"


@pytest.mark.parametrize("data", [b"", b"hello", b"GIF89a" + bytes(99)])
def test_files_that_are_no_photo_get_a_reason_and_leave_nothing(
    client_for, clinician, model_version, settings, data
):
    response = send(client_for(clinician), data)
    assert response.status_code == 400
    assert "me.jpg" in response.content.decode() or "Choose a photo" in response.content.decode()
    assert not TryRun.objects.exists()
    assert stored_files(settings) == []


def test_wrong_tokens_are_404(client_for, clinician):
    for path in ("x/", "x/image", "x/maps"):
        assert client_for(clinician).get(f"/try/{path}").status_code == 404


def test_no_model_is_said(client_for, clinician):
    assert send(client_for(clinician)).status_code == 503


def test_what_was_changed_in_the_photo_is_said(client_for, clinician, model_version):
    """An HDR photo, and a plain one."""
    client = client_for(clinician)
    wide = charts.pq(charts.light(charts.PATCHES) @ charts.TO_2020.T)
    file = SimpleUploadedFile("hdr.heic", charts.in_heic(wide, 9, 16))
    sent = client.post("/try/", {"file": file})
    assert "high dynamic range" in client.get(sent.url).content.decode()
    assert "high dynamic range" not in client.get(send(client).url).content.decode()
