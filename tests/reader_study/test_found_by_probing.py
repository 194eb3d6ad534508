"""Faults that somebody who tried to break reader studies found; each stays mended."""

import json
import uuid

import pytest
from django.urls import reverse

from reader_study.models import Reader, Reading, Study
from reader_study.services.making import enrolment
from reader_study.services.results import results
from skinclinic.engine import jobs
from tests.reader_study.read_study import read_study
from tests.studies import make_study

pytestmark = pytest.mark.django_db


@pytest.fixture
def made(clinic, coordinator):
    return make_study(clinic, coordinator, aided=True, readers=2)


@pytest.fixture
def draft(clinic, coordinator):
    return make_study(clinic, coordinator, state=Study.State.DRAFT, readers=2)


@pytest.fixture
def runner(client_for, coordinator):
    return client_for(coordinator)


def test_a_draft_with_readers_and_a_preview_can_be_thrown_away(draft, runner, coordinator):
    enrolment.enrol(draft.study, group=draft.study.groups.first(), by=coordinator, is_preview=True)
    runner.post(reverse("study-act", args=[draft.study.pk]), {"act": "delete"})
    assert not Study.objects.filter(pk=draft.study.pk).exists()
    assert not Reader.objects.exists()


def test_a_group_goes_once_its_readers_are_withdrawn(draft, coordinator):
    from reader_study.services.making import studies
    from reader_study.services.refused import Refused

    study, group = draft.study, draft.readers[0].group
    enrolment.enrol(study, group=group, by=coordinator, is_preview=True)
    with pytest.raises(Refused, match="Withdraw them first"):
        studies._set_groups(study, {group.pk: ""}, [])
    enrolment.withdraw(draft.readers[0], coordinator)
    studies._set_groups(study, {group.pk: ""}, [])
    assert [row.key for row in study.groups.all()] == ["clinicians"]
    assert Reader.objects.get(pk=draft.readers[0].pk).group is None
    assert not study.readers.filter(is_preview=True).exists()


@pytest.mark.parametrize("onward", ["//[", "http://[", "http://[::1", "\x00"])
def test_a_strange_way_on_leads_home(made, client, onward):
    secret = made.secrets[0]
    response = client.post(reverse("reading-language", args=[secret]), {"language": "ko", "next": onward})
    assert response.status_code == 302
    assert response["Location"] == reverse("reading", args=[secret])


@pytest.mark.parametrize("path", ["readings", "answers", "studies", "study-results", "lesions"])
def test_a_clinic_that_no_database_takes_is_none(made, runner, path):
    response = runner.get(f"/api/{path}/?clinic=%00")
    assert response.status_code == 200
    assert response.json()["results"] == []


def test_an_address_is_short_enough_and_invited_once(made, runner):
    address = f"/api/studies/{made.study.pk}/readers/"
    wanted = {"name": "Ann", "group": "professors", "reason": "late"}
    long = "a" * 60 + "@" + ".".join(["b" * 60] * 4) + ".org"
    assert runner.post(address, wanted | {"email": long}, "application/json").status_code == 400
    assert runner.post(address, wanted | {"email": "a@b.org"}, "application/json").status_code == 201
    again = runner.post(address, wanted | {"email": "A@b.org"}, "application/json")
    assert 400 <= again.status_code < 500
    assert "invited already" in again.content.decode()
    assert made.study.readers.filter(email__iexact="a@b.org").count() == 1


def test_instructions_cannot_be_amended_away(made, runner):
    Study.objects.filter(pk=made.study.pk).update(instructions="Look closely.")
    runner.post(reverse("study-amend", args=[made.study.pk]), {"instructions": " ", "reason": "none needed"})
    made.study.refresh_from_db()
    assert made.study.instructions == "Look closely."


def test_a_draft_is_not_amended(draft, runner):
    response = runner.post(reverse("study-amend", args=[draft.study.pk]), {"reason": ""})
    assert response["Location"] == reverse("study-settings", args=[draft.study.pk])


def test_a_key_belongs_to_one_photo(clinic, coordinator, client):
    made = make_study(clinic, coordinator)
    Reading.objects.update(started_at=made.study.opened_at, instructions_read_at=made.study.opened_at)
    key = str(uuid.uuid4())

    def answer(position: int, choice: str):
        address = reverse("reading-answer", args=[made.secrets[0], "unaided", position])
        sent = {"key": key, "known": 0, "choice": choice, "seconds": 1}
        return client.post(address, json.dumps(sent), "application/json")

    assert answer(1, "mm").status_code == 200
    assert answer(1, "mm").json()["answer"]["choice"] == "mm"
    refused = answer(2, "sk")
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "key_of_another")
    assert Reading.objects.get().answers.count() == 1


def test_results_are_there_while_they_are_computed_again(clinic, admin_user, tmp_path):
    made = read_study(clinic, admin_user, tmp_path)
    for _time in range(2):
        results.request(made.study)
        jobs.run_waiting(results.JOB)
        assert results.Results(made.study).curves
    assert [path.name for path in made.study.folder.iterdir() if path.name.startswith(".draft")] == []


@pytest.mark.parametrize("slug", ["\x00", 5, ["hanok"], {"a": 1}])
def test_a_row_for_a_clinic_that_is_none_is_refused(client_for, admin_user, slug):
    sent = {"clinic": slug, "code": "P-77"}
    response = client_for(admin_user).post("/api/patients/", sent, "application/json")
    assert response.status_code == 403
