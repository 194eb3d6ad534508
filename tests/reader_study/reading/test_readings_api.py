"""Readings, answers and changes for programs: who may see them, in words, and the truth only when unblinded."""

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from reader_study.models import Reader, Study
from tests.readings import Link
from tests.studies import make_study

pytestmark = pytest.mark.django_db


@pytest.fixture
def made(clinic, coordinator):
    made = make_study(clinic, coordinator, labels=["bcc", "mm", "sk"], practice=0, readers=2)
    for secret in made.secrets:
        link = Link(secret).begin()
        link.answer(1, "mm", seconds=5)
        link.answer(1, "sk")
        link.answer(2, "bcc")
    return made


def get(user, path: str, **query):
    client = APIClient()
    client.force_authenticate(user)
    return client.get(path, query)


def test_readings_with_their_progress(made, coordinator):
    rows = get(coordinator, "/api/readings/", study=made.study.pk).json()["results"]
    assert [
        (row["reader"], row["group"], row["session"], row["photos"], row["answered"]) for row in rows
    ] == [
        ("R02", "clinicians", "unaided", 3, 2),
        ("R01", "professors", "unaided", 3, 2),
    ]
    assert all(row["counts"] and row["started_at"] and row["finished_at"] is None for row in rows)
    Reader.objects.filter(code="R01").update(withdrawn_at=timezone.now())
    Reader.objects.filter(code="R02").update(is_preview=True)
    rows = get(coordinator, "/api/readings/", study=made.study.pk).json()["results"]
    assert [row["counts"] for row in rows] == [False, False]


def unblind() -> None:
    Study.objects.update(unblinded_at=timezone.now())


def test_answers_in_words_beside_the_truth_only_when_unblinded(made, coordinator):
    asked = {"study": made.study.pk, "reader": "R01"}
    assert get(coordinator, "/api/answers/", **asked).json()["results"] == []
    unblind()
    rows = get(coordinator, "/api/answers/", **asked).json()["results"]
    numbers = made.readers[0].readings.get().order
    assert [(row["image"], row["answer"]) for row in rows] == [
        (f"{numbers[1]:03d}", "bcc"),
        (f"{numbers[0]:03d}", "mm"),
    ]
    assert rows[1] | {"session": "unaided", "group": "professors", "seconds": 5.0, "number": 1} == rows[1]
    assert [row["truth"] for row in rows] == [
        made.study.images.get(number=number).truth for number in (numbers[1], numbers[0])
    ]


def test_every_change_is_told(made, coordinator):
    path = "/api/answer-changes/"
    unblind()
    rows = get(coordinator, path, reader="R01", study=made.study.pk).json()["results"]
    assert [(row["answer"], row["is_in_force"]) for row in rows] == [
        ("bcc", True), ("sk", False), ("mm", True),
    ]  # fmt: skip
    lost = get(coordinator, path, is_in_force="false", study=made.study.pk).json()["results"]
    assert {row["answer"] for row in lost} == {"sk"}


def test_members_see_answers_only_of_closed_studies_and_who_runs_them_of_unblinded_ones(
    made, clinician, coordinator, outsider
):
    reading = made.readers[0].readings.get()
    answer, change = reading.answers.first(), reading.changes.first()
    paths = [
        f"/api/readings/{reading.pk}/",
        f"/api/answers/{answer.pk}/",
        f"/api/answer-changes/{change.pk}/",
    ]
    lists = ["/api/readings/", "/api/answers/", "/api/answer-changes/"]
    assert [get(coordinator, path).status_code for path in paths] == [200, 403, 403]
    assert [get(clinician, path).status_code for path in paths] == [403, 403, 403]
    assert [get(outsider, path).status_code for path in paths] == [404, 404, 404]
    assert [get(clinician, path).json()["results"] for path in lists] == [[], [], []]
    unblind()
    assert [get(coordinator, path).status_code for path in paths] == [200, 200, 200]
    assert [get(clinician, path).status_code for path in paths] == [403, 403, 403]
    Study.objects.update(state=Study.State.CLOSED)
    assert [get(clinician, path).status_code for path in paths] == [200, 200, 200]
    assert all(get(clinician, path).json()["results"] for path in lists)
    assert [get(outsider, path).json()["results"] for path in lists] == [[], [], []]


def test_pages_and_bad_questions(made, coordinator):
    unblind()
    first = get(coordinator, "/api/answers/", page_size=3).json()
    assert len(first["results"]) == 3
    assert first["next"]
    assert get(coordinator, "/api/answers/", study="x").status_code == 400
    assert get(coordinator, "/api/answers/", study=10**30).status_code in (200, 400)
    assert APIClient().get("/api/answers/").status_code == 401


def test_the_schema_names_them(coordinator):
    schema = get(coordinator, "/api/schema/", format="json").content.decode()
    for path in ("/api/v1/readings/", "/api/v1/answers/", "/api/v1/answer-changes/{id}/"):
        assert path in schema


@pytest.mark.parametrize("path", ["readings", "answers", "studies", "study-results", "lesions"])
def test_a_clinic_that_no_database_takes_is_none(made, client_for, coordinator, path):
    response = client_for(coordinator).get(f"/api/{path}/?clinic=%00")
    assert response.status_code == 200
    assert response.json()["results"] == []
