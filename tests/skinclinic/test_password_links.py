"""A lost password: by mail, or by a link of an admin."""

import re
from datetime import timedelta

import pytest
from django.db.models import F
from django.test import Client
from django.utils import timezone

from skinclinic.models import Letter, Member, PasswordLink, Role
from skinclinic.services import letters, password_links
from skinclinic.views import passwords
from tests import factories
from tests.skinclinic.pages import audited, messages_of, url

pytestmark = pytest.mark.django_db
CHOSEN = {"new_password1": "a river of cold milk", "new_password2": "a river of cold milk"}


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    monkeypatch.setattr(passwords, "ANSWER_SECONDS", 0)


def sent_link(mailoutbox) -> str:
    letters.send(Letter.objects.latest("pk"))
    return re.search(r"http://testserver(/reset/[\w-]{43}/)", mailoutbox[-1].body)[1]


def test_a_link_by_mail_works_once(client, clinician, client_for, mailoutbox):
    elsewhere = client_for(clinician)
    token = {"Authorization": f"Token {factories.make_token(clinician)}"}
    answers = [
        client.post(url("forgotten"), {"name": name}) for name in ("CLARA", "nobody", "clara@example.org")
    ]
    assert len({re.sub(r"[\w-]{40,}", "", answer.content.decode()) for answer in answers}) == 1, "no oracle"
    assert Letter.objects.count() == 2 and letters.SECRET in Letter.objects.latest("pk").text
    link = sent_link(mailoutbox)
    assert (
        link.split("/")[2]
        not in Letter.objects.latest("pk").text + PasswordLink.objects.latest("pk").secret_sha256
    )
    page = client.get(link)
    assert page.status_code == 200 and "no-store" in page["Cache-Control"]
    assert page["Referrer-Policy"] == "strict-origin"
    assert client.post(link, {"new_password1": "short", "new_password2": "short"}).status_code == 422
    assert client.post(link, CHOSEN).url == url("login")
    clinician.refresh_from_db()
    assert clinician.check_password("a river of cold milk")
    assert "_auth_user_id" not in client.session, "a link is not a sign-in"
    assert elsewhere.get(url("account")).status_code == 302
    assert Client().get("/api/me/", headers=token).status_code == 401
    assert Letter.objects.filter(subject="The password was changed.").exists()
    assert audited("password.reset")
    assert client.get(link).status_code == client.post(link, CHOSEN).status_code == 404


def test_a_link_ends_after_an_hour_and_with_a_newer_one(client, clinician, mailoutbox, monkeypatch):
    client.post(url("forgotten"), {"name": "clara"})
    first = sent_link(mailoutbox)
    client.post(url("forgotten"), {"name": "clara"})
    second = sent_link(mailoutbox)
    assert (client.get(first).status_code, client.get(second).status_code) == (404, 200)
    real = timezone.now
    monkeypatch.setattr(timezone, "now", lambda: real() + timedelta(hours=1))
    assert client.get(second).status_code == 200, "by the database's clock it is the same moment"
    PasswordLink.objects.update(expires_at=F("expires_at") - timedelta(hours=1))
    assert client.get(second).status_code == 404
    password_links.forget_old_links()
    assert PasswordLink.objects.exists(), "by the database's clock it is the same day"
    PasswordLink.objects.update(expires_at=real() - timedelta(days=2))
    password_links.forget_old_links()
    assert not PasswordLink.objects.exists()


def test_nobody_is_flooded(client, clinician):
    statuses = [client.post(url("forgotten"), {"name": "clara"}).status_code for _ in range(7)]
    assert statuses == [200] * 5 + [429] * 2
    assert Letter.objects.count() == password_links.MAILED_AN_HOUR
    assert client.post(url("forgotten"), {"name": "x\x00y"}).status_code == 422


def test_whoever_may_not_sign_in_gets_none(client, clinician, curator, settings):
    clinician.is_active = False
    clinician.save()
    curator.set_unusable_password()
    curator.save()
    for name in ("clara", "curtis"):
        assert client.post(url("forgotten"), {"name": name}).status_code == 200
    assert not Letter.objects.exists() and not PasswordLink.objects.exists()
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
    assert b"Ask an admin" in client.get(url("forgotten")).content


def test_an_admin_makes_a_link(client_for, admin_user, clinician, other_clinic):
    admin, member = client_for(admin_user), Member.objects.get(user=clinician)
    page = admin.post(url("member-password", member.pk)).content.decode()
    link = re.search(r"http://testserver(/reset/[\w-]{43}/)", page)[1]
    assert PasswordLink.objects.get().made_by == admin_user
    assert audited("password.link")
    assert Client().post(link, CHOSEN).status_code == 302
    clinician.refresh_from_db()
    assert client_for(clinician).post(url("member-password", member.pk)).status_code == 403

    own = Member.objects.get(user=admin_user)
    assert "on your account page" in messages_of(admin.post(url("member-password", own.pk)))
    there = Member.objects.create(clinic=other_clinic, user=clinician, role=Role.CLINICIAN)
    assert "no admin" in messages_of(admin.post(url("member-password", member.pk)))
    there.is_active = False
    there.save()
    assert admin.post(url("member-password", member.pk)).status_code == 200
    Member.objects.filter(pk=member.pk).update(is_active=False)
    assert "no access" in messages_of(admin.post(url("member-password", member.pk)))
    assert PasswordLink.objects.count() == 2
