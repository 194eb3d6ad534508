"""The API of studies: made, drawn, opened, closed; errors; who may."""

import pytest
from rest_framework.test import APIClient

from reader_study.models import Study
from reader_study.services.results import model_answers
from skinclinic.engine import jobs
from tests import factories
from tests.cases import each
from tests.reader_study.conftest import WANTED

pytestmark = pytest.mark.django_db


@pytest.fixture
def api():
    def for_user(user) -> APIClient:
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Token {factories.make_token(user)}")
        return client

    return for_user


def test_a_study_from_first_to_last(api, coordinator, stocked):
    client = api(coordinator)
    made = client.post(
        "/api/studies/",
        {"name": "By program", "model_version": stocked.model.pk, "endpoints": ["mm", "bcc"], "has_aided": True,
         "washout_days": 14, "question_in": {"ko": "무엇입니까?"},
         "instructions_in": {"ko": "한 장씩\r\n봅니다.", "en": ""}},
        format="json",
    )  # fmt: skip
    assert made.status_code == 201, made.json()
    row = made.json()
    assert [session["key"] for session in row["sessions"]] == ["unaided", "aided"] and row["endpoints"] == [
        "bcc",
        "mm",
    ]
    assert (row["question_in"], row["instructions_in"]) == ({"ko": "무엇입니까?"}, {"ko": "한 장씩\n봅니다."})
    assert {point["code"] for point in row["obstacles"]} == {"sample", "margin", "readers"}
    address = f"/api/studies/{row['id']}/"
    per = {str(version.pk): WANTED for version in stocked.versions}
    drawn = client.post(address + "draw/", {"per": per, "seed": 3, "practice": 1}, format="json")
    assert drawn.json() == {
        "seed": 3, "photos": 20, "practice": 1, "unfilled": [], "left_out": {}, "unknown_training": "one",
    }  # fmt: skip
    assert client.patch(address, {"margin": 0.05}, format="json").json()["margin"] == 0.05
    refused = client.post(address + "open/")
    assert refused.status_code == 409 and "No reader" in refused.json()["error"]["message"]
    invited = client.post(address + "readers/", {"name": "Ann", "group": "professors"}, format="json")
    assert invited.status_code == 201 and "/reading/" in invited.json()["link"]
    jobs.run_waiting(model_answers.JOB)
    opened = client.post(address + "open/").json()
    assert (
        opened["state"] == "open" and len(opened["protocol_sha256"]) == 64 and opened["answers_wanted"] == 40
    )
    assert client.patch(address, {"margin": 0.5}, format="json").status_code == 409
    assert client.patch(address, {"instructions": "New"}, format="json").json()["error"]["code"] == "reason"
    new = {"instructions": "New", "instructions_in": {"ko": "새것"}, "reason": "A typo"}
    amended = client.patch(address, new, format="json").json()
    assert (amended["instructions"], amended["instructions_in"]) == ("New", {"ko": "새것"})
    assert client.patch(address, {"question_in": {}, "reason": "no"}, format="json").status_code == 409
    listed = client.get(address + "readers/").json()
    assert listed[0]["reader"]["name"] == "Ann" and [one["total"] for one in listed[0]["sessions"]] == [
        20,
        20,
    ]
    assert "link" not in listed[0]["reader"]
    assert client.get(address + "protocol/").json()["sha256"] == opened["protocol_sha256"]
    assert client.post(address + "close/").json()["state"] == "closed"
    assert client.post(address + "close/").status_code == 409
    assert client.get("/api/studies/").json()["results"][0]["photos"] == 20


@each("sent", [
    {}, {"name": ""}, {"name": "a\nb"}, {"name": "x" * 121}, {"name": "N", "choices": ["bcc"]},
    {"name": "N", "choices": ["bcc", "psoriasis"]}, {"name": "N", "margin": 2}, {"name": "N", "margin": "NaN"},
    {"name": "N", "model_version": 10**9}, {"name": "N", "question": "\x00"}, {"name": "N", "washout_days": -1},
    {"name": "N", "endpoints": "bcc"}, {"name": ["N"]}, {"name": "N", "ends_on": "soon"},
    {"name": "N", "question_in": {"ko": "a\nb"}}, {"name": "N", "question_in": {"xx": "What?"}},
    {"name": "N", "instructions_in": "ko"}, {"name": "N", "consent_in": {"ko": "x" * 6001}},
])  # fmt: skip
def test_wrong_fields_make_nothing(api, coordinator, sent):
    answer = api(coordinator).post("/api/studies/", sent, format="json")
    assert answer.status_code == 400 and answer.json()["error"]["code"] == "invalid"
    assert not Study.objects.exists()


@each("sent, status", [
    ({}, 400), ({"per": []}, 400), ({"per": {"x": {"bcc": 1}}}, 400), ({"per": {"1": 3}}, 400),
    ({"per": {"1": {"bcc": "many"}}}, 400), ({"per": {"1": {"bcc": True}}}, 400), ({"per": {}}, 409),
    ({"per": {"999999": {"bcc": 1}}}, 409), ({"per": "VERSION", "seed": -1}, 400),
    ({"per": "VERSION", "practice": 1000}, 400), ({"per": {"9" * 30: {"bcc": 1}}}, 400),
])  # fmt: skip
def test_wrong_recipes_draw_nothing(api, coordinator, draft, stocked, sent, status):
    if sent.get("per") == "VERSION":
        sent["per"] = {str(stocked.versions[0].pk): {"bcc": 1}}
    answer = api(coordinator).post(f"/api/studies/{draft.pk}/draw/", sent, format="json")
    assert answer.status_code == status and "error" in answer.json() and not draft.images.exists()


def test_only_coordinators_change_studies_and_see_readers(api, clinician, coordinator, outsider, opened):
    address = f"/api/studies/{opened.pk}/"
    client = api(clinician)
    seen = client.get(address).json()
    assert seen["name"] == opened.name and seen["obstacles"] == []
    assert not set(seen) & {"recipe", "images", "readers", "protocol"}
    for path in ("readers/", "protocol/", "design/"):
        assert client.get(address + path).status_code == 403
    assert client.post("/api/studies/", {"name": "N"}, format="json").status_code == 403
    assert client.post(address + "close/").status_code == 403
    assert api(outsider).get(address).status_code == 404
    api(coordinator).post(address + "close/")
    assert client.get(address + "protocol/").status_code == 200


def test_the_design_of_a_draft(api, coordinator, ready):
    client, address = api(coordinator), f"/api/studies/{ready.pk}/design/"
    assert client.get(address).json() == {"arms": "all", "blocks": 1, "blocks_a_reader": 1, "repeats": 0}
    sent = {"arms": "all", "blocks": 2, "repeats": 3}
    assert client.put(address, sent, format="json").json() == sent | {"blocks_a_reader": 1}
    for wrong, status in (
        ({"arms": "both"}, 400),
        ({"blocks": 0}, 400),
        ({"blocks": 21}, 409),
        ({"blocks": "x"}, 400),
    ):
        assert client.put(address, sent | wrong, format="json").status_code == status
    client.post(f"/api/studies/{ready.pk}/open/")
    assert client.put(address, sent, format="json").status_code == 409
    listed = client.get(f"/api/studies/{ready.pk}/readers/").json()
    assert {one["allocated"] for one in listed} == {"block 1", "block 2"}


def test_wrong_readers_are_refused(api, coordinator, ready):
    client = api(coordinator)
    address = f"/api/studies/{ready.pk}/readers/"
    for sent in ({}, {"name": "A"}, {"name": "A", "group": "professors", "email": "x"},
                 {"name": "A", "group": "professors", "years_of_practice": 71}):  # fmt: skip
        assert client.post(address, sent, format="json").status_code == 400
    assert client.post(address, {"name": "A", "group": "surgeons"}, format="json").status_code == 422
    assert ready.readers.count() == 2


def test_a_list_asks_the_database_as_often_for_many(api, coordinator, clinic, django_assert_max_num_queries):
    Study.objects.bulk_create(Study(clinic=clinic, name=f"S{n}") for n in range(30))
    client = api(coordinator)
    with django_assert_max_num_queries(12):
        assert len(client.get("/api/studies/").json()["results"]) == 30
