"""Each role begins where its work is, with first steps until they are put away, and admins see what needs attention."""

from datetime import timedelta
from html import unescape

import pytest
from django.test import Client
from django.utils import timezone

from skinclinic.help import contents
from skinclinic.models import AuditEvent, Invitation, Lesion, Member, Role
from skinclinic.services import attention, first_steps
from tests import factories

pytestmark = pytest.mark.django_db
LANDING = {"clinician": "/", "curator": "/archive/", "coordinator": "/studies/", "admin": "/clinic/overview/"}


@pytest.fixture
def clinic():
    return factories.make_clinic("Hanok Dermatology")


def new_member(clinic, role: str) -> Member:
    user = factories.make_member(clinic, role, role)
    Member.objects.filter(user=user).update(first_steps=True)
    return Member.objects.select_related("clinic", "user").get(user=user)


def steps_of(member: Member) -> dict[str, bool | None]:
    return {str(one.step.words): one.is_done for one in first_steps.told(member)}


def test_each_role_lands_where_its_work_is_and_sees_its_first_steps_there(clinic):
    for role, address in LANDING.items():
        member, client = new_member(clinic, role), Client()
        signed_in = {"username": role, "password": factories.PASSWORD}
        assert client.post("/login/", signed_in).url == "/start/"
        assert client.get("/start/").url == address
        page = unescape(client.get(address).content.decode())
        for one in first_steps.told(member):
            assert str(one.step.words) in page
        assert 3 < len(first_steps.told(member)) < 8


def test_first_steps_lead_to_pages_of_help_there_are():
    steps = [step for role in Role.values for _place, step in first_steps._steps[role]]
    assert {step.page for step in steps} <= set(contents.ALL)


def test_first_steps_tick_themselves_where_they_can_know(clinic):
    member = new_member(clinic, "clinician")
    before = steps_of(member)
    assert before["Upload a first photo"] is False and before["Read a result"] is None
    photo = factories.make_photo(clinic, member.user)
    assert steps_of(member)["Upload a first photo"] is True
    assert steps_of(member)["File it under a patient"] is bool(photo.lesion and photo.lesion.patient_id)
    admin = new_member(clinic, "admin")
    assert steps_of(admin)["Invite the others"] is False
    invite(clinic, admin)
    assert steps_of(admin)["Invite the others"] is True


def test_first_steps_are_put_away_for_good_of_one_clinic_alone(clinic):
    member, other = new_member(clinic, "clinician"), factories.make_clinic("Elsewhere")
    there = Member.objects.create(clinic=other, user=member.user, role="clinician")
    client = Client()
    client.force_login(member.user)
    client.post("/clinic/switch/", {"clinic": clinic.slug})
    assert "First steps" in client.get("/").content.decode()
    count = AuditEvent.objects.count()
    assert client.post("/first-steps/").url == "/"
    assert AuditEvent.objects.count() > count
    assert "First steps" not in client.get("/").content.decode()
    member.refresh_from_db()
    there.refresh_from_db()
    assert (member.first_steps, there.first_steps) == (False, True)


def invite(clinic, admin) -> Invitation:
    ends = timezone.now() + timedelta(days=3)
    return Invitation.objects.create(
        clinic=clinic,
        email="new@example.org",
        role="clinician",
        secret_sha256="0" * 64,
        invited_by=admin.user,
        expires_at=ends,
    )


def test_the_overview_tells_what_needs_attention_of_this_clinic_alone(clinic, django_assert_max_num_queries):
    admin, other = new_member(clinic, "admin"), factories.make_clinic("Elsewhere")
    client, today = Client(), timezone.localdate()
    client.force_login(admin.user)
    mine = {"clinic": clinic, "patient": factories.make_patient(clinic), "created_by": admin.user}
    Lesion.objects.create(**mine, state=Lesion.State.FAILED)
    Lesion.objects.create(**mine, biopsy_on=today - timedelta(days=30))
    Lesion.objects.create(**mine, follow_up_on=today - timedelta(days=1))
    for number in range(3):
        Lesion.objects.create(
            clinic=other, patient=factories.make_patient(other, f"Q-{number}"), state=Lesion.State.FAILED
        )
    invite(clinic, admin)
    with django_assert_max_num_queries(20):
        items = attention.items(clinic)
    words = [item.words for item in items]
    for expected in (
        "1 case could not be analysed",
        "1 result of a biopsy is late",
        "1 follow-up is overdue",
        "1 invitation waits for an answer",
    ):
        assert expected in words
    serious = [item.is_serious for item in items]
    assert serious == sorted(serious, reverse=True)
    page = client.get("/clinic/overview/").content.decode()
    assert all(item.address.replace("&", "&amp;") in page for item in items)
    for item in items:
        assert client.get(item.address).status_code == 200, item
    client.force_login(factories.make_member(clinic, "curator", "carl"))
    assert client.get("/clinic/overview/").status_code == 403
