"""A photo that a program sends in one call, with all that is known of it; sent again under its key; waited for."""

import threading
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from skinclinic.api import waiting
from skinclinic.engine import jobs
from skinclinic.models import Lesion, Patient, Photo, RepeatedRequest
from skinclinic.services import repeated
from skinclinic.services.binning import bin
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def program(clinician, model_version) -> Client:
    return Client(headers={"Authorization": f"Token {factories.make_token(clinician)}"})


def send(client, seed=1, key=None, prefer=None, **fields):
    headers = {"Idempotency-Key": key, "Prefer": prefer}
    file = SimpleUploadedFile("lesion.jpg", factories.jpeg_bytes(seed), "image/jpeg")
    sent = {name: value for name, value in headers.items() if value is not None}
    return client.post("/api/v1/photos/", {"file": file, **fields}, headers=sent)


def code_of(answer) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


SAID = {"patient_code": "P-100", "site": "cheek", "captured_at": "2026-03-04", "kind": "close_up"}


def test_one_call_tells_patient_site_date_and_kind_and_is_told_where_the_answer_is(program, clinic):
    made = send(program, **SAID)
    said = made.json()
    assert made.status_code == 201 and made["Location"] == f"http://testserver/api/v1/photos/{said['id']}/"
    lesion = Lesion.objects.get(pk=said["lesion"])
    assert (lesion.patient.code, lesion.site, said["captured_at"]) == (
        "P-100",
        "cheek",
        "2026-03-04T00:00:00",
    )
    assert said["patient"] == {"id": lesion.patient_id, "code": "P-100", "is_new": True}
    assert said["analysis"]["state"] == "queued"
    assert program.get(said["analysis"]["url"]).json()["photo"] == said["id"]
    # Another lesion of the same patient, whatever the case of the code; then into the first.
    other = send(program, 2, patient_code="p-100", site="nose").json()
    assert (other["patient"]["is_new"], other["patient"]["id"]) == (False, lesion.patient_id)
    again = send(program, 3, lesion=lesion.pk, patient_code="P-100", site="cheek").json()
    assert again["lesion"] == lesion.pk and Patient.objects.count() == 1


def test_what_does_not_fit_is_refused_and_leaves_nothing(program, clinic, other_clinic, subtests):
    first = send(program, **SAID).json()
    send(program, 2, patient_code="P-200")
    unfiled = send(program, 3).json()
    archived = Patient.objects.create(clinic=clinic, code="OLD-1", is_archived=True)
    binned = factories.make_patient(clinic, "GONE-1")
    bin.put(binned, clinic.members.first().user, reason="other", words="x")
    before = (Photo.objects.count(), Patient.objects.count(), Lesion.objects.count())
    wrong = {
        "lesion of another": ({"lesion": first["lesion"], "patient_code": "P-200"}, 409, "patient_code"),
        "lesion of nobody": ({"lesion": unfiled["lesion"], "patient_code": "P-200"}, 409, "patient_code"),
        "another site": ({"lesion": first["lesion"], "site": "nose"}, 409, "site"),
        "known photo of another": ({"seed": 1, "patient_code": "P-200"}, 409, "patient_code"),
        "known photo elsewhere": ({"seed": 1, "lesion": unfiled["lesion"]}, 409, "lesion"),
        "imported": ({"patient_code": archived.code}, 409, "patient_code"),
        "in the bin": ({"patient_code": "gone-1"}, 400, "invalid"),
        "a name": ({"patient_code": "Given Surname"}, 400, "invalid"),
        "no site": ({"site": "moon"}, 400, "invalid"),
        "no date": ({"captured_at": "yesterday"}, 400, "invalid"),
        "unknown field": ({"patient": "P-1"}, 400, "invalid"),
        "other clinic": ({"clinic": other_clinic.slug}, 403, "permission_denied"),
    }
    for name, (fields, status, code) in wrong.items():
        with subtests.test(what=name):
            assert code_of(send(program, **{"seed": 9} | fields)) == (status, code)
    answer = program.post(
        "/api/v1/photos/", {"file": SimpleUploadedFile("a.jpg", b"no photo"), "patient_code": "P-300"}
    )
    assert answer.status_code == 400
    assert (Photo.objects.count(), Patient.objects.count(), Lesion.objects.count()) == before
    assert send(program, 9, patient_code="Given Surname", code_is_no_name="true").status_code == 201


def test_a_known_photo_says_what_was_not_taken_of_what_was_said(program):
    first = send(program, **SAID).json()
    again = send(program, **SAID | {"kind": "overview", "captured_at": "2026-05-05"})
    assert again.status_code == 200 and again.json()["id"] == first["id"]
    assert again.json()["duplicate"] and again.json()["not_taken"] == ["kind", "captured_at"]


def test_a_key_means_one_request_for_a_day(program, clinic, admin_user):
    first = send(program, key="k-1", **SAID)
    again = send(program, key="k-1", **SAID)
    assert (again.status_code, again.json()) == (201, first.json())
    assert again["Idempotency-Replayed"] == "true" and again["Location"] == first["Location"]
    assert code_of(send(program, key="k-1", **SAID | {"site": "nose"})) == (422, "key_reused")
    assert code_of(send(program, 2, key="k-1", **SAID)) == (422, "key_reused")
    assert code_of(send(program, 2, key="x" * 201)) == (400, "bad_key")
    assert code_of(send(program, 2, key="")) == (400, "bad_key")
    # Of another person it is another key.
    theirs = Client(headers={"Authorization": f"Token {factories.make_token(admin_user)}"})
    assert send(theirs, 2, key="k-1").status_code == 201
    # Neither the key nor anything that was sent is kept.
    assert not [row for row in RepeatedRequest.objects.values() if "k-1" in str(row) or "P-100" in str(row)]
    # Refused: the key is free for the next try.
    assert send(program, 3, key="k-2", lesion=10**9).status_code == 404
    assert send(program, 3, key="k-2").status_code == 201
    Photo.objects.filter(pk=first.json()["id"]).delete()
    assert code_of(send(program, key="k-1", **SAID)) == (409, "photo_gone")
    RepeatedRequest.objects.update(at=timezone.now() - repeated.KEPT_FOR - timedelta(seconds=1))
    assert send(program, key="k-1", **SAID).status_code == 201
    repeated.forget_old_requests()
    assert RepeatedRequest.objects.count() == 1


def test_the_same_request_twice_at_once_is_done_once(program, clinician):
    with repeated.once(clinician, "k-1", "body"):
        with pytest.raises(repeated.AtWork), repeated.once(clinician, "k-1", "body"):
            pass
        # A process that was killed in the midst of it keeps nobody out for long.
        RepeatedRequest.objects.update(at=timezone.now() - repeated.GIVEN_UP_AFTER - timedelta(seconds=1))
        with repeated.once(clinician, "k-1", "body") as taken_over:
            assert taken_over.status == 0


def test_waiting_ends_with_the_analysis_or_the_time(program, monkeypatch):
    monkeypatch.setattr(waiting, "sleep", lambda seconds: jobs.run_waiting("analyse"))
    waited = send(program, prefer="respond-async, wait=5")
    assert waited.json()["analysis"]["state"] == "done"
    assert waited["Preference-Applied"] == "wait=5"
    now = [0.0]
    monkeypatch.setattr(waiting, "sleep", lambda seconds: now.__setitem__(0, now[0] + seconds))
    monkeypatch.setattr(waiting, "monotonic", lambda: now[0])
    late = send(program, 2, prefer="wait=9999")
    assert late.json()["analysis"]["state"] == "queued" and now[0] == waiting.LONGEST
    assert late["Preference-Applied"] == f"wait={waiting.LONGEST}"
    # An analysis may be waited for as well, and nobody waits for one that is there.
    read = program.get(late.json()["analysis"]["url"], headers={"Prefer": "wait=2"})
    assert read.json()["state"] == "queued" and now[0] == waiting.LONGEST + 2


def test_who_finds_no_place_to_wait_is_answered_at_once(program, monkeypatch):
    monkeypatch.setattr(waiting, "_places", threading.BoundedSemaphore(1))
    waiting._places.acquire()
    answer = send(program, prefer="wait=10")
    assert answer.status_code == 201 and "Preference-Applied" not in answer
