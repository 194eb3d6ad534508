"""Signing in and out, the lock, one's account, the clinic one works in."""

import re

import pytest
from django.test import Client

from skinclinic.models import Member, User
from skinclinic.services import invitations, signing_in
from tests import factories
from tests.cases import each
from tests.skinclinic.pages import MILLION, NASTY, audited, messages_of, url

pytestmark = pytest.mark.django_db

PASSWORD = factories.PASSWORD
NEW_PASSWORD = "a river of cold milk"


def sign_in(client, username="clara", password=PASSWORD, **extra):
    return client.post(url("login"), {"username": username, "password": password, **extra})


def test_signs_in_and_out(client, clinician):
    before = client.session
    before["planted"] = "by somebody else"
    before.save()
    response = sign_in(client)
    assert response.status_code == 302
    assert client.session.session_key != before.session_key and len(client.session.session_key) == 32
    assert response.url == url("start")
    assert client.get(url("account")).status_code == 200

    response = client.post(url("logout"))
    assert response["Clear-Site-Data"] == '"cache"'
    assert client.get(url("account")).status_code == 302


def test_sign_out_needs_post(client_for, clinician):
    client = client_for(clinician)
    assert client.get(url("logout")).status_code == 405
    assert client.get(url("account")).status_code == 200


def test_sign_in_page_suits_password_managers(client, db):
    page = client.get(url("login")).content.decode()
    assert 'autocomplete="username"' in page
    assert 'autocomplete="current-password"' in page
    assert "onpaste" not in page
    assert 'id="password-parts"' in page, "what was typed can be looked at"


@pytest.mark.parametrize(
    ("next_page", "goes_to"),
    [
        ("/account/", "/account/"),
        ("https://evil.example/", "/start/"),
        ("//evil.example/", "/start/"),
        ("javascript:alert(1)", "/start/"),
        ("/\\evil.example", "/start/"),
    ],
)
def test_next_stays_on_this_site(client, clinician, next_page, goes_to):
    assert sign_in(client, next=next_page).url == goes_to


def test_wrong_passwords_make_the_next_try_wait(client, clinician):
    for _attempt in range(5):
        assert sign_in(client, password="wrong").status_code == 200
    locked = sign_in(client)
    assert locked.status_code == 429, "the right password does not open a lock"
    assert b"Wait 1 minute" in locked.content
    assert 0 < int(locked["Retry-After"]) <= 60
    assert sign_in(client, username="CLARA").status_code == 429, "it is the same account"
    assert sign_in(Client(REMOTE_ADDR="192.0.2.7")).status_code == 302, "other addresses are not locked out"
    data = {"username": "clara", "password": PASSWORD}
    answer = client.post(url("login"), data, headers={"X-Requested-With": "fetch"})
    assert answer.status_code == 429
    assert answer.json()["error"]["code"] == "locked"
    assert "Wait 1 minute" in answer.json()["error"]["message"]
    answer = client.post("/api/token/", data)
    assert (answer.status_code, answer.json()["error"]["code"]) == (429, "locked")
    assert 0 < int(answer["Retry-After"]) <= 60


def test_wrong_old_passwords_count_like_those_at_sign_in(client_for, clinician):
    client = client_for(clinician)
    new = {"new_password1": NEW_PASSWORD, "new_password2": NEW_PASSWORD}
    statuses = [
        client.post(url("password-change"), {"old_password": "wrong", **new}).status_code for _ in range(12)
    ]
    assert statuses == [200] * 5 + [429] * 7
    assert client.post(url("password-change"), {"old_password": PASSWORD, **new}).status_code == 429
    assert client.get(url("account")).status_code == 200, "whoever is in stays in"


def test_beyond_a_few_sign_ins_at_once_the_others_are_told_to_come_again(client, clinician):
    with signing_in.room.entered():
        # One waits before the door; here nobody has the time.
        signing_in.room._places.acquire()
        try:
            page = sign_in(client)
            answer = client.post("/api/token/", {"username": "clara", "password": PASSWORD})
        finally:
            signing_in.room._places.release()
    assert page.status_code == answer.status_code == 503
    assert page["Retry-After"] == answer["Retry-After"] == "3"
    assert sign_in(client).status_code == 302


@each("nasty", NASTY)
def test_sign_in_survives_bad_input(client, clinician, nasty):
    assert sign_in(client, username=nasty, password=nasty).status_code == 200


def test_somebody_who_was_switched_off_cannot_sign_in(client, clinician):
    clinician.is_active = False
    clinician.save()
    assert sign_in(client).status_code == 200


def test_signed_out_page_leads_to_sign_in_and_back(client, clinician):
    response = client.get(url("account") + "?a=1")
    assert response.url == f"{url('login')}?next=/account/%3Fa%3D1"
    # The product's address alone leads to where the work of one's role is, not to the worklist of all.
    assert client.get("/").url == f"{url('login')}?next=/start/"


def test_signed_out_form_leads_back_to_its_page(client, clinician):
    """Going to the form's own address after signing in would be 405."""
    response = client.post(url("switch-clinic"), headers={"Referer": "http://testserver/account/"})
    assert response.url == f"{url('login')}?next=/account/"
    response = client.post(url("switch-clinic"), headers={"Referer": "https://evil.example/account/"})
    assert response.url == f"{url('login')}?next=/start/"


@pytest.mark.parametrize(
    "headers",
    [
        {"HX-Request": "true"},
        {"X-Requested-With": "fetch"},
        {"Accept": "application/json"},
        {"Sec-Fetch-Mode": "cors"},
    ],
)
def test_scripts_learn_that_the_session_has_ended(client, db, headers):
    for response in (
        client.get(url("account"), headers=headers),
        client.post(url("switch-clinic"), headers=headers),
    ):
        assert response.status_code == 401
        assert response.json()["error"]["code"] == "not_authenticated"


def test_session_state(client, client_for, clinician):
    assert client.get(url("session")).status_code == 401
    assert client_for(clinician).get(url("session")).status_code == 204
    assert client.post(url("session")).status_code == 405


def test_a_page_made_for_another_person_counts_as_signed_out(client_for, clinician, curator):
    client = client_for(clinician)
    for person, session, page in ((clinician, 204, 200), (curator, 401, 401)):
        headers = {"X-Person": str(person.pk), "X-Requested-With": "fetch"}
        assert client.get(url("session"), headers=headers).status_code == session
        assert client.get(url("account"), headers=headers).status_code == page


def test_changes_password_and_other_sessions_end(client_for, clinician):
    here, elsewhere = client_for(clinician), client_for(clinician)
    response = here.post(
        url("password-change"),
        {"old_password": PASSWORD, "new_password1": NEW_PASSWORD, "new_password2": NEW_PASSWORD},
        follow=True,
    )
    assert response.status_code == 200
    assert response.redirect_chain == [(url("password-changed"), 302)]
    assert here.get(url("account")).status_code == 200
    assert elsewhere.get(url("account")).status_code == 302
    clinician.refresh_from_db()
    assert clinician.check_password(NEW_PASSWORD) and audited("password.change")


def test_a_long_password_of_any_letters_is_taken_whole(client, client_for, clinician):
    new = "날씨 좋은 날에  ねこ 😀 ñ ~ " * 5
    new = new[:64].strip() + "!" * (128 - len(new[:64].strip()))
    client_for(clinician).post(
        url("password-change"), {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    )
    assert sign_in(client, password=new[:-1]).status_code == 200
    assert sign_in(client, password=new).status_code == 302


@each(
    "old, new, again",
    [
        ("wrong", NEW_PASSWORD, NEW_PASSWORD),
        (PASSWORD, "short", "short"),
        (PASSWORD, "1234567890123", "1234567890123"),
        (PASSWORD, NEW_PASSWORD, NEW_PASSWORD + "!"),
        (PASSWORD, MILLION, MILLION),
        (PASSWORD, "a river of cold milk " * 7, "a river of cold milk " * 7),
        (PASSWORD, "\x00" * 20, "\x00" * 20),
        ("", "", ""),
    ],
)
def test_refuses_bad_new_passwords(client_for, clinician, old, new, again):
    response = client_for(clinician).post(
        url("password-change"), {"old_password": old, "new_password1": new, "new_password2": again}
    )
    assert response.status_code == 200
    assert response.context["form"].errors
    clinician.refresh_from_db()
    assert clinician.check_password(PASSWORD)


def test_account_keeps_name_and_language(client_for, clinician):
    client = client_for(clinician)
    response = client.post(url("account"), {"display_name": "김하나", "language": "ko"})
    assert response.status_code == 302
    clinician.refresh_from_db()
    assert clinician.display_name == "김하나" and audited("account.name")
    assert client.get(url("account"))["Content-Language"] == "ko"


@pytest.mark.parametrize("nasty", ["\x00", MILLION, "a\nb", "a\u202eb", "\u200b"])
def test_account_refuses_bad_names(client_for, clinician, nasty):
    response = client_for(clinician).post(url("account"), {"display_name": nasty, "language": "en"})
    assert response.status_code == 422
    assert "display_name" in response.context["form"].errors
    clinician.refresh_from_db()
    assert clinician.display_name == "Clara"


def test_account_escapes_names(client_for, clinician):
    client = client_for(clinician)
    client.post(url("account"), {"display_name": "<script>alert(1)</script>", "language": "en"})
    assert b"<script>alert(1)" not in client.get(url("account")).content


@pytest.mark.parametrize("language", ["xx", "", "ko; path=/", MILLION])
def test_account_refuses_unknown_languages(client_for, clinician, language):
    response = client_for(clinician).post(url("account"), {"display_name": "Clara", "language": language})
    assert response.status_code == 422


def test_account_without_a_clinic(client_for, clinician):
    Member.objects.all().delete()
    response = client_for(clinician).get(url("account"))
    assert response.status_code == 200
    assert b"not a member of a clinic" in response.content


def test_changes_need_post(client_for, clinician):
    assert client_for(clinician).get(url("switch-clinic")).status_code == 405


def test_switches_clinic(client_for, clinician, other_clinic):
    Member.objects.create(clinic=other_clinic, user=clinician, role="coordinator")
    client = client_for(clinician)
    response = client.post(url("switch-clinic"), {"clinic": other_clinic.slug, "next": url("account")})
    assert response.url == url("account")
    assert client.get(url("account")).context["membership"].clinic == other_clinic
    response = client.post(
        url("switch-clinic"), {"clinic": other_clinic.slug, "next": "https://evil.example"}
    )
    assert response.url == url("start")


@pytest.mark.parametrize("slug", ["elsewhere-skin-centre", "", "\x00", "nowhere", MILLION])
def test_switches_only_to_own_clinics(client_for, clinician, clinic, other_clinic, slug):
    client = client_for(clinician)
    assert client.post(url("switch-clinic"), {"clinic": slug}).status_code == 404
    assert client.get(url("account")).context["membership"].clinic == clinic


def test_losing_a_membership_counts_at_once(client_for, clinician, clinic, other_clinic):
    Member.objects.create(clinic=other_clinic, user=clinician, role="clinician")
    client = client_for(clinician)
    client.post(url("switch-clinic"), {"clinic": other_clinic.slug})
    Member.objects.filter(clinic=other_clinic).update(is_active=False)
    assert client.get(url("account")).context["membership"].clinic == clinic


def test_pages_are_not_kept_by_caches(client_for, clinician):
    assert "no-store" in client_for(clinician).get(url("account"))["Cache-Control"]


def test_language_can_be_chosen_before_signing_in(client, db):
    response = client.post(url("set_language"), {"language": "ko", "next": url("login")})
    assert response.url == url("login")
    assert client.get(url("login"))["Content-Language"] == "ko"


def test_saved_message(client_for, clinician):
    response = client_for(clinician).post(url("account"), {"display_name": "Clara K", "language": "en"})
    assert "Saved" in messages_of(response)


def test_after_a_wrong_password_the_password_is_typed_again(client, clinician):
    page = sign_in(client, password="wrong").content.decode()
    assert re.search(r'<input[^>]*name="password"[^>]* autofocus', page) and page.count(" autofocus") == 1
    assert 'value="clara"' in page and 'role="alert"' in page


def test_the_page_that_makes_wait_leads_back_to_what_was_to_be_opened(client, clinician):
    for _attempt in range(6):
        locked = client.post(f"{url('login')}?next=/patients/", {"username": "clara", "password": "wrong"})
    assert locked.status_code == 429
    page = locked.content.decode()
    assert f'href="{url("login")}?next=/patients/"' in page and 'data-wait="' in page


def test_who_belongs_to_no_clinic_is_told_so_and_has_ways_on(client_for, db):
    nobody = User.objects.create_user("nobody", password=PASSWORD)
    client = client_for(nobody)
    for address in ("/", url("patients"), url("clinic-settings")):
        answer = client.get(address)
        page = answer.content.decode()
        assert answer.status_code == 403 and "No clinic is open to you" in page
        assert url("account") in page and url("logout") in page and "To the worklist" not in page
    told = client.get("/api/patients/")
    assert told.status_code in (200, 403) and told["Content-Type"].startswith("application/json")


def test_what_a_new_password_must_be_is_said_without_an_empty_line(client_for, clinician, admin_user, clinic):
    client = client_for(clinician)
    _invitation, secret = invitations.invite(clinic, email="who@example.org", role="clinician", by=admin_user)
    for page in (client.get(url("password-change")), Client().get(url("join", secret))):
        text = page.content.decode()
        assert "<li>12 to 128 characters, of any kind.</li>" in text and "<li></li>" not in text
