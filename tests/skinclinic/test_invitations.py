"""Invitations: links that work once, for a week, and whose secret is kept nowhere."""

import re
import threading
from datetime import timedelta

import pytest
from django.core import mail
from django.db import connection
from django.utils import timezone

from skinclinic.engine import jobs
from skinclinic.models import AuditEvent, Invitation, Job, Letter, Member, User
from skinclinic.services import invitations, letters
from tests import factories
from tests.cases import each
from tests.engine import run_to_the_end
from tests.skinclinic.pages import NASTY, audited, messages_of, url

pytestmark = pytest.mark.django_db

NEW_PERSON = {
    "display_name": "Nora Neu",
    "username": "nora",
    "password1": "a river of cold milk",
    "password2": "a river of cold milk",
}


@pytest.fixture
def invited(clinic, admin_user):
    """(invitation, address of its link)"""
    invitation, secret = invitations.invite(clinic, email="nora@example.org", role="curator", by=admin_user)
    return invitation, url("join", secret)


def shown_link(response) -> str:
    return re.search(r'id="invitation-link" value="([^"]+)"', response.content.decode())[1]


def test_admin_invites_by_mail_and_link(client_for, admin_user, clinic):
    response = client_for(admin_user).post(url("members"), {"email": "nora@example.org", "role": "curator"})
    assert response.status_code == 200
    link = shown_link(response)
    assert link in response.content.decode() and "being sent to nora@example.org" in response.content.decode()
    assert not mail.outbox, "the page does not wait for a mail server"
    jobs.run_waiting(letters.JOB)
    assert link in mail.outbox[0].body
    assert mail.outbox[0].to == ["nora@example.org"]
    assert clinic.name in mail.outbox[0].subject
    secret = link.rstrip("/").rsplit("/", 1)[1]
    assert len(secret) >= 40
    row = Invitation.objects.values().get()
    assert secret not in str(row) + str(Letter.objects.values()), "only the hash is kept"
    assert audited("invitation.make")
    page = client_for(admin_user).get(url("members")).content.decode()
    assert secret not in page and "sent to nora@example.org" in page


@pytest.mark.parametrize("backend", ["dummy", "console", "filebased"])
def test_invites_without_a_mail_server(client_for, admin_user, settings, backend):
    """What is only written for whoever runs the server was sent to nobody."""
    settings.EMAIL_BACKEND = f"django.core.mail.backends.{backend}.EmailBackend"
    response = client_for(admin_user).post(url("members"), {"email": "nora@example.org", "role": "curator"})
    assert response.context["invited"].letter is None
    assert b"send it yourself" in response.content


def test_invites_although_the_mail_server_is_down(client_for, admin_user, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    response = client_for(admin_user).post(url("members"), {"email": "nora@example.org", "role": "curator"})
    link = shown_link(response)
    assert response.status_code == 200 and link in response.content.decode()
    run_to_the_end(letters.JOB)
    client = client_for(admin_user)
    assert b"could not be sent to nora@example.org" in client.get(url("members")).content
    assert Job.objects.get().error == "The mail server took no letter: Connection refused."
    invitation = invitations.open_of(admin_user.memberships.get().clinic).get()
    # The server is back: the same link is sent, once.
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    again = url("invitation-mail", invitation.pk)
    assert b"is being sent" in client.post(again, follow=True).content
    assert b"nothing to send again" in client.post(again, follow=True).content
    assert jobs.run_waiting(letters.JOB) == 1
    assert link in mail.outbox[0].body
    assert b"nothing to send again" in client.post(again, follow=True).content


def test_a_link_that_was_revoked_before_it_was_sent_is_not_sent(clinic, admin_user):
    invitation, _secret = invitations.invite(
        clinic, email="nora@example.org", role="curator", by=admin_user, address=str
    )
    assert invitations.revoke(invitation)
    assert jobs.run_waiting(letters.JOB) == 0 and not mail.outbox
    assert Letter.objects.values_list("text", "nonce").get() == ("", "")
    assert not letters.retry(Letter.objects.get())


def test_inviting_again_replaces_the_link(clinic, admin_user, invited, client):
    invitations.invite(clinic, email="NORA@example.org", role="admin", by=admin_user)
    assert client.get(invited[1]).status_code == 404
    assert invitations.open_of(clinic).count() == 1


@each("email", [text for text in NASTY if text] + ["no address", "a@b@c.org", "a@b.org\nBcc: x@y.z"])
def test_refuses_bad_addresses(client_for, admin_user, email):
    response = client_for(admin_user).post(url("members"), {"email": email, "role": "clinician"})
    assert response.status_code == 422
    assert "email" in response.context["form"].errors
    assert not Invitation.objects.exists()
    assert not mail.outbox


def test_refuses_bad_roles(client_for, admin_user):
    response = client_for(admin_user).post(url("members"), {"email": "a@example.org", "role": "owner"})
    assert response.status_code == 422


def test_new_person_joins(client, invited, clinic):
    invitation, link = invited
    page = client.get(link)
    assert page.status_code == 200
    assert "no-store" in page["Cache-Control"]
    assert "/help/#help-kept" in page.content.decode(), "who joins knows what is kept of them"
    response = client.post(link, NEW_PERSON)
    assert response.url == url("start")
    user = User.objects.get(username="nora")
    assert user.email == "nora@example.org"
    assert user.display_name == "Nora Neu"
    assert user.check_password(NEW_PERSON["password1"])
    assert Member.objects.get(user=user, clinic=clinic).role == "curator"
    assert client.get(url("account")).context["membership"].clinic == clinic
    invitation.refresh_from_db()
    assert invitation.accepted_by == user and audited("member.join")


def test_signed_in_person_joins_with_their_account(client_for, outsider, invited, clinic):
    client = client_for(outsider)
    assert b"Join as Oscar" in client.get(invited[1]).content
    assert client.post(invited[1]).url == url("start")
    assert Member.objects.get(user=outsider, clinic=clinic).role == "curator"
    assert client.get(url("account")).context["membership"].clinic == clinic
    assert User.objects.filter(username="nora").count() == 0


def test_former_member_comes_back_with_the_new_role(client_for, clinician, invited, clinic):
    Member.objects.filter(user=clinician).update(is_active=False)
    client_for(clinician).post(invited[1])
    member = Member.objects.get(user=clinician, clinic=clinic)
    assert member.is_active
    assert member.role == "curator"


def test_member_who_opens_a_link_keeps_role_and_link(client_for, admin_user, invited, clinic):
    client = client_for(admin_user)
    for response in (client.get(invited[1]), client.post(invited[1])):
        assert b"already" in response.content
    assert Member.objects.get(user=admin_user, clinic=clinic).role == "admin"
    assert invitations.open_of(clinic).count() == 1


def close_by(how, invitation, client):
    if how == "expired":
        Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    elif how == "revoked":
        invitations.revoke(invitation)
    else:
        client.post(url("logout"))
        invitations.accept(
            invitation, factories.make_member(factories.make_clinic("Third"), "clinician", "early")
        )


@pytest.mark.parametrize("how", ["expired", "revoked", "used"])
def test_closed_links_say_so(client, invited, clinic, how):
    invitation, link = invited
    close_by(how, invitation, client)
    members = Member.objects.count()
    for response in (client.get(link), client.post(link, NEW_PERSON)):
        assert response.status_code == 404
        assert b"does not work" in response.content
    assert not User.objects.filter(username="nora").exists()
    assert Member.objects.count() == members


@each("secret", ["x", "0", "a" * 43, "%00", "%F0%9F%98%80", "a" * 5000, "ü"])
def test_unknown_links_say_so(client, db, secret):
    assert client.get(f"/join/{secret}/").status_code == 404


def test_links_last_a_week(invited):
    left = invited[0].expires_at - timezone.now()
    assert timedelta(days=6, hours=23) < left <= timedelta(days=7)


@each("field", ["username", "display_name"])
@each("nasty", ["\x00", "x" * 1_000_000, "a\nb", ""])
def test_join_refuses_bad_names(client, invited, field, nasty):
    response = client.post(invited[1], NEW_PERSON | {field: nasty})
    assert response.status_code == 422
    assert field in response.context["form"].errors
    assert not User.objects.filter(email="nora@example.org").exists()


@each("password", ["short", "1234567890123", "password1234", "nora.neu.2", "x" * 1_000_000, "\x00" * 12])
def test_join_refuses_bad_passwords(client, invited, password):
    response = client.post(
        invited[1], NEW_PERSON | {"username": "nora.neu", "password1": password, "password2": password}
    )
    assert response.status_code == 422
    assert not User.objects.filter(username="nora.neu").exists()


@pytest.mark.parametrize("username", ["clara", "CLARA"])
def test_join_refuses_taken_names(client, invited, clinician, username):
    response = client.post(invited[1], NEW_PERSON | {"username": username})
    assert response.status_code == 422
    assert "username" in response.context["form"].errors


@pytest.mark.django_db(transaction=True)
def test_a_link_used_twice_at_once_makes_one_member(invited, clinic):
    start = threading.Barrier(4)
    outcomes = []

    def join(number):
        user = User(username=f"n{number}", email="nora@example.org")
        user.set_password("a river of cold milk")
        try:
            start.wait()
            outcomes.append(invitations.accept(Invitation.objects.get(pk=invited[0].pk), user))
        except invitations.InvitationClosed:
            outcomes.append(None)
        finally:
            connection.close()

    threads = [threading.Thread(target=join, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outcomes) == 4
    assert len([member for member in outcomes if member]) == 1
    assert Member.objects.filter(clinic=clinic, role="curator").count() == 1
    assert User.objects.filter(username__startswith="n").count() == 1, "the losers left no account"


def test_admin_revokes(client_for, admin_user, invited, client):
    response = client_for(admin_user).post(url("invitation-revoke", invited[0].pk))
    assert "no longer works" in messages_of(response)
    assert client.get(invited[1]).status_code == 404
    response = client_for(admin_user).post(url("invitation-revoke", invited[0].pk))
    assert "did not work" in messages_of(response)
    assert AuditEvent.objects.filter(action="invitation.revoke").count() == 1


def test_who_may_revoke(client_for, clinician, coordinator, outsider, admin_user, invited, client):
    revoke = url("invitation-revoke", invited[0].pk)
    assert client_for(clinician).post(revoke).status_code == 403
    assert client_for(coordinator).post(revoke).status_code == 403
    assert client_for(outsider).post(revoke).status_code == 404
    assert client_for(admin_user).get(revoke).status_code == 405
    assert client_for(admin_user).post(f"/clinic/invitations/{10**25}/revoke/").status_code == 404
    assert client.get(invited[1]).status_code == 200


def test_outsiders_do_not_see_invitations(client_for, outsider, invited):
    assert "nora@example.org" not in client_for(outsider).get(url("members")).content.decode()
