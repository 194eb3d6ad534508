"""What can still be changed of a study: a draft and its groups, an open study and its readers."""

import pytest
from django.urls import reverse

from reader_study.models import Reader, Study
from reader_study.services.making import enrolment
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
    from skinclinic.services.refused import Refused

    study, group = draft.study, draft.readers[0].group
    enrolment.enrol(study, group=group, by=coordinator, is_preview=True)
    with pytest.raises(Refused, match="Withdraw them first"):
        studies._set_groups(study, {group.pk: ""}, [])
    enrolment.withdraw(draft.readers[0], coordinator)
    studies._set_groups(study, {group.pk: ""}, [])
    assert [row.key for row in study.groups.all()] == ["clinicians"]
    assert Reader.objects.get(pk=draft.readers[0].pk).group is None
    assert not study.readers.filter(is_preview=True).exists()


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
