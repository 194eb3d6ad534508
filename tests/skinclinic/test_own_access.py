"""Where one is signed in, signing out everywhere, the e-mail address, and the mails that tell of changes."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from skinclinic.models import ApiToken, Letter, Session
from skinclinic.presenters.devices import device_in_words
from skinclinic.services import signing_out, step_up
from tests import factories
from tests.cases import each
from tests.skinclinic.pages import audited, messages_of, url

pytestmark = pytest.mark.django_db
NEW_PASSWORD = "a river of cold milk"


@pytest.fixture
def mailing(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"


@each(
    "agent, words",
    [
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/126.0 Safari/537.36 Edg/126.0", "Edge on Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) Version/17.5 Mobile Safari/604.1", "Safari on iPhone"),
        ("Mozilla/5.0 (X11; CrOS x86_64) AppleWebKit/537.36 Chrome/126.0 Safari/537.36", "Chrome on ChromeOS"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0", "Firefox on Linux"),
        ("curl/8.5.0", "Unknown device"),
        ("", "Unknown device"),
    ],
)  # fmt: skip
def test_devices_in_words(agent, words):
    assert device_in_words(agent) == words


def test_sessions_are_listed_and_end_together(client_for, clinician, curator):
    here, elsewhere, other = client_for(clinician), client_for(clinician), client_for(curator)
    Session.objects.filter(user=curator).update(device="Firefox/1", address="192.0.2.77")
    token = {"Authorization": f"Token {factories.make_token(clinician)}"}
    page = here.get(url("account"))
    assert [row.is_this for row in page.context["signed_in"]] == [True, False]
    assert "192.0.2.77" not in page.content.decode()
    assert not any(key in page.content.decode() for key in Session.objects.values_list("pk", flat=True))

    assert here.post(url("sign-out-everywhere"), {"which": "others"}).url == url("account")
    assert here.get(url("account")).status_code == 200
    assert elsewhere.get(url("account")).status_code == 302
    assert Client().get("/api/me/", headers=token).status_code == 401
    left = here.post(url("sign-out-everywhere"), {"which": "all"})
    assert (left.url, left["Clear-Site-Data"]) == (url("login"), '"cache"')
    assert here.get(url("account")).status_code == 302
    assert other.get(url("account")).status_code == 200, "only one's own"


def test_one_session_ends_once_the_password_was_asked_for(client_for, clinician, curator, monkeypatch):
    here, there, third = (client_for(clinician) for _ in range(3))
    client_for(curator)
    page = here.get(url("account"))
    names = {row.session.pk: row.name for row in page.context["signed_in"]}
    assert set(names) == set(Session.objects.filter(user=clinician).values_list("pk", flat=True))
    sent = {"session": names[there.session.session_key]}
    monkeypatch.setattr(step_up, "is_fresh", lambda request: False)
    assert here.post(url("sign-out-there"), sent).status_code == 403
    assert here.post(url("sign-out-everywhere"), {"which": "all"}).status_code == 403
    assert (
        here.post(url("sign-out-there"), sent | {"confirm_password": factories.PASSWORD}).status_code == 302
    )
    assert there.get(url("account")).status_code == 302
    assert third.get(url("account")).status_code == 200
    assert audited("sign_out.there")
    foreign = signing_out.name_of(Session.objects.get(user=curator))
    for name in (sent["session"], foreign, "", "é\x00"):
        with_password = {"session": name, "confirm_password": factories.PASSWORD}
        assert "ended already" in messages_of(here.post(url("sign-out-there"), with_password))
    assert Session.objects.filter(user=curator).count() == 1


def test_a_session_that_has_ended_is_not_listed(client_for, clinician):
    client_for(clinician)
    Session.objects.update(used_at=timezone.now() - timedelta(minutes=31))
    page = client_for(clinician).get(url("account"))
    assert len(page.context["signed_in"]) == 1


def test_a_new_password_ends_tokens_and_is_told_by_mail(client_for, clinician, mailing):
    factories.make_token(clinician)
    data = {"old_password": factories.PASSWORD, "new_password1": NEW_PASSWORD, "new_password2": NEW_PASSWORD}
    assert client_for(clinician).post(url("password-change"), data).status_code == 302
    assert ApiToken.objects.get().revoked_why == "password"
    letter = Letter.objects.get()
    assert (letter.address, letter.subject) == (clinician.email, "The password was changed.")
    assert "clara" in letter.text


def test_a_sign_in_from_a_new_place_is_told_by_mail(clinician, mailing):
    data = {"username": "clara", "password": factories.PASSWORD}
    for address, letters in (
        ("192.0.2.7", 0),
        ("192.0.2.7", 0),
        ("2001:db8::1", 1),
        ("2001:db8::99", 1),
        ("192.0.2.8", 2),
    ):
        assert Client(REMOTE_ADDR=address).post(url("login"), data).status_code == 302
        assert Letter.objects.count() == letters, address
    assert "192.0.2.8" in Letter.objects.latest("pk").subject


def test_without_mail_an_address_counts_at_once(client_for, clinician, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
    client = client_for(clinician)
    client.post(url("email-change"), {"email": "new@example.org"})
    clinician.refresh_from_db()
    assert clinician.email == "new@example.org"
    response = client.post(url("email-change"), {"email": "nonsense\x00@"})
    assert response.status_code == 422 and response.context["email_form"]["email"].errors
    page = response.content.decode()
    assert "nonsense" in page and page.count("aria-invalid") == 1, "at its field, with what was typed"
    assert f'action="{url("account")}"' in page, "its neighbours are still sent to their own address"


def test_a_new_address_counts_once_its_link_was_opened(client_for, clinician, mailing, monkeypatch):
    client, old = client_for(clinician), clinician.email
    client.post(url("email-change"), {"email": "new@example.org"})
    clinician.refresh_from_db()
    letter = Letter.objects.get()
    assert (clinician.email, letter.address) == (old, "new@example.org")
    link = re.search(r"http://testserver(/new-email/\S+/)", letter.text)[1]
    page = Client().get(link)
    assert "new@example.org" in page.content.decode()
    assert Client().post(link[:-3] + "xx/").status_code == 404
    assert Client().post(link).status_code == 302
    clinician.refresh_from_db()
    assert clinician.email == "new@example.org"
    assert {letter.address for letter in Letter.objects.all()} == {old, "new@example.org"}, "both are told"
    assert Letter.objects.filter(subject="The e-mail address was changed.").count() == 2
    assert audited("email.change")
    assert Client().post(link).status_code == Client().get(link + "x/").status_code == 404

    monkeypatch.setattr(step_up, "is_fresh", lambda request: False)
    assert client.post(url("email-change"), {"email": "third@example.org"}).status_code == 403


def test_after_signing_out_everywhere_the_page_says_so(client_for, clinician):
    page = client_for(clinician).post(url("sign-out-everywhere"), {"which": "all"}, follow=True)
    assert page.redirect_chain[-1][0] == url("login")
    assert "You are signed out everywhere" in page.content.decode()
    assert audited("sign_out.everywhere")
