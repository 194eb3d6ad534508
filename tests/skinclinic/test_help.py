"""The help page, for everybody."""

import pytest

from tests import factories

pytestmark = pytest.mark.django_db


def test_who_cannot_sign_in_finds_out_what_this_is_and_who_helps(client):
    page = client.get("/login/").content.decode()
    assert '<a href="/help/">What is this?</a>' in page
    page = client.get("/help/").content.decode()
    for words in (
        "It does not diagnose",
        "none but these 12",
        "Press ? on any page",
        "of your clinic invites you",
        'id="help-kept"',
        "patients can be told who saw them",
    ):
        assert words in page, words


def test_a_member_is_told_the_admins_of_the_clinic_worked_in(
    client_for, clinic, clinician, admin_user, outsider
):
    admin_user.email = "admin@clinic.example"
    admin_user.save()
    gone = factories.make_member(clinic, "admin", "gone")
    gone.memberships.update(is_active=False)
    page = client_for(clinician).get("/help/").content.decode()
    assert f'<li>{admin_user} · <a href="mailto:admin@clinic.example">' in page and f"<li>{gone}" not in page
    page = client_for(outsider).get("/help/").content.decode()
    assert str(admin_user) not in page
