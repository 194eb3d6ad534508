"""The second factor at sign-in: setting it up, being asked for it, having to have one, losing it."""

import re
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from skinclinic.engine import clock
from skinclinic.models import AuditEvent, Letter, Member, Role, SignInCount
from skinclinic.services import used_codes
from tests import factories
from tests.skinclinic.pages import audited, messages_of, url

pytestmark = pytest.mark.django_db
HALF_MINUTE = 0
PASSWORD = {"username": "clara", "password": factories.PASSWORD}
# As a browser made it for localhost; no secret of it is here.
PASSKEY = {
    "name": "Passkey 1",
    "credential": {
        "id": "uNkg0B3SFCzvOEcIV7cnNXNgucmmag6S5VWOGIz4X20",
        "rawId": "uNkg0B3SFCzvOEcIV7cnNXNgucmmag6S5VWOGIz4X20",
        "type": "public-key",
        "response": {
            "clientDataJSON": "eyJ0eXBlIjoid2ViYXV0aG4uY3JlYXRlIiwiY2hhbGxlbmdlIjoiSmc2eDV2a0lyYkFiMFpBY1hCYVhPVlBt"
            "ZzI5Q3pjZnZVdGhhb1VQRkV6YyIsIm9yaWdpbiI6Imh0dHA6Ly9sb2NhbGhvc3Q6ODczMCIsImNyb3NzT3JpZ2luIjpmYWxzZX0",
            "attestationObject": "o2NmbXRkbm9uZWdhdHRTdG10oGhhdXRoRGF0YVikSZYN5YgOjGh0NBcPZHZgW4_krrmihjLHmVzzuoMdl2"
            "NFAAAAAQECAwQFBgcIAQIDBAUGBwgAILjZINAd0hQs7zhHCFe3JzVzYLnJpmoOkuVVjhiM-F9tpQECAyYgASFYIDKeRv60Tnmxmy08seNWZOa3Du3B"
            "7NSAWlRfSelX2R6rIlggk_50l3gtCwnC0ohiYJF_-3vHFgYLCz_0LNHz3xKKqNs",
        },
        "clientExtensionResults": {"credProps": {}},
    },
}


@pytest.fixture(autouse=True)
def no_code_used_yet():
    cache.clear()


@pytest.fixture(autouse=True)
def half_minute(monkeypatch):
    """One for all codes of a test, in which the next may begin: who is half a minute behind is right, too."""
    monkeypatch.setattr(sys.modules[__name__], "HALF_MINUTE", int(time.time()) // 30)


@pytest.fixture
def mailing(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"


def code_of(secret: str, steps: int = 0) -> str:
    """``steps``: half minutes after that in which the test began."""
    return format_hotp_value(hotp_value(secret, HALF_MINUTE + steps))


def set_up(client) -> tuple[str, list[str]]:
    """Set up an app as a person does; return its secret and the recovery codes."""
    page = client.get(url("mfa_activate_totp"))
    secret = page.context["form"].secret
    assert secret in page.content.decode() and "data:image/svg+xml;base64," in page.content.decode()
    assert client.post(url("mfa_activate_totp"), {"code": "000000"}).context["form"].errors
    codes = client.post(url("mfa_activate_totp"), {"code": code_of(secret)}, follow=True)
    assert codes.redirect_chain[-1][0] == url("mfa_view_recovery_codes")
    return secret, codes.context["unused_codes"]


def test_an_app_is_set_up_asked_for_and_removed(client_for, clinician, django_capture_on_commit_callbacks):
    client = client_for(clinician)
    with django_capture_on_commit_callbacks(execute=True):
        secret, codes = set_up(client)
    assert len(codes) == 10
    assert secret not in str(Authenticator.objects.get(type="totp").data)
    assert codes[0] not in client.get(url("mfa_view_recovery_codes")).content.decode(), "shown once"
    assert Letter.objects.get().subject == "An authenticator app was set up."
    assert AuditEvent.objects.get(action="second_factor.add").facts == {"kind": "totp"}

    other = Client()
    asked = other.post(url("login"), PASSWORD | {"next": "/account/"})
    assert asked.url == url("mfa_authenticate")
    assert other.get(url("account")).status_code == 302, "a password alone lets nobody in"
    wrong = other.post(url("mfa_authenticate"), {"code": "000000"})
    assert wrong.status_code == 200 and wrong.context["form"].errors
    right = other.post(url("mfa_authenticate"), {"code": code_of(secret, 1)})
    assert right.url == "/account/"
    assert other.get(url("account")).status_code == 200

    third = Client()
    third.post(url("login"), PASSWORD)
    assert third.post(url("mfa_authenticate"), {"code": code_of(secret, 1)}).status_code == 200, (
        "used already"
    )
    assert third.post(url("mfa_authenticate"), {"code": codes[3]}).status_code == 302
    fourth = Client()
    fourth.post(url("login"), PASSWORD)
    assert fourth.post(url("mfa_authenticate"), {"code": codes[3]}).status_code == 200, "works once"

    assert "9 codes" in client.get(url("mfa_index")).content.decode()
    assert client.post(url("mfa_deactivate_totp")).url == url("mfa_index")
    assert not Authenticator.objects.exists() and audited("second_factor.remove")
    assert Client().post(url("login"), PASSWORD).url == url("start")


def test_a_code_that_comes_again_is_refused_by_every_process_and_told(client_for, clinician, mailing):
    secret, _codes = set_up(client_for(clinician))
    code = code_of(secret, 1)
    client = Client()
    client.post(url("login"), PASSWORD)
    cache.clear()
    assert client.post(url("mfa_authenticate"), {"code": code_of(secret)}).status_code == 200, (
        "set up with it"
    )
    for again in (False, True):
        client = Client()
        client.post(url("login"), PASSWORD)
        cache.clear()  # another process remembers nothing
        sent = client.post(url("mfa_authenticate"), {"code": f"{code[:3]} {code[3:]}" if again else code})
        assert sent.status_code == (200 if again else 302)
    assert AuditEvent.objects.filter(action="second_factor.used_again", subject_key=clinician.pk).count() == 2
    assert "used a second time" in Letter.objects.latest("pk").subject


def test_no_code_of_hours_ago_is_right_again_nor_one_that_was_used_whatever_clocks_show(
    client_for, clinician, mailing, monkeypatch
):
    """A web process two hours behind: by its own clock the codes of two hours ago were right, and used long ago."""
    secret, _codes = set_up(client_for(clinician))
    right_now, real = datetime.now(UTC), time.time
    SignInCount.objects.update(at=right_now - timedelta(hours=2))
    with monkeypatch.context() as behind:
        behind.setattr(time, "time", lambda: real() - 7200)
        clock.learn(right_now)
        old, new = code_of(secret, -7200 // 30), code_of(secret, 1)
        for code, status in ((old, 200), (new, 302)):
            client = Client()
            client.post(url("login"), PASSWORD)
            assert client.post(url("mfa_authenticate"), {"code": code}).status_code == status
    clock.forget()
    # The database's clock jumps before the processes know.
    monkeypatch.setattr(clock, "now", lambda: right_now + timedelta(hours=2))
    assert used_codes.is_used(clinician, new) and not used_codes.take(clinician, new)


def test_guesses_are_limited(client_for, clinician):
    assert Client().post("/api/token/", PASSWORD).status_code == 200
    set_up(client_for(clinician))
    client = Client()
    token = client.post("/api/token/", PASSWORD)
    assert (token.status_code, token.json()["error"]["code"]) == (403, "second_factor_needed")
    client.post(url("login"), PASSWORD)
    statuses = [client.post(url("mfa_authenticate"), {"code": "000000"}).status_code for _ in range(7)]
    assert statuses == [200] * 5 + [429] * 2
    # Without the password nobody is asked.
    assert Client().post(url("mfa_authenticate"), {"code": "000000"}).url == url("login")


def test_who_is_signed_in_and_signs_in_again_is_asked_for_both(client_for, clinician):
    client = client_for(clinician)
    secret, _codes = set_up(client)
    assert client.post(url("login"), PASSWORD).url == url("mfa_authenticate")
    assert client.get(url("account")).status_code == 302
    assert client.post(url("mfa_authenticate"), {"code": code_of(secret, 1)}).status_code == 302
    assert client.get(url("account")).status_code == 200


def test_a_code_confirms_as_well(client_for, clinician, monkeypatch):
    client = client_for(clinician)
    secret, _codes = set_up(client)
    real = timezone.now
    monkeypatch.setattr(timezone, "now", lambda: real() + timedelta(minutes=11))
    asked = client.post(url("email-change"), {"email": "new@example.org"})
    assert asked.status_code == 403 and "confirm_code" in asked.content.decode()
    again = client.get(url("mfa_activate_totp"))
    assert again.status_code == 403 and url("mfa_activate_totp") in again.content.decode()
    sent = {"email": "new@example.org", "confirm_code": "000000"}
    assert client.post(url("email-change"), sent).status_code == 403
    assert client.post(url("email-change"), sent | {"confirm_code": code_of(secret, 1)}).status_code == 302


def test_a_role_may_have_to_have_one(client_for, admin_user, clinician, coordinator, clinic, settings):
    assert settings.SECOND_FACTOR_FOR_ADMINS is False, "not on one machine"
    admin = client_for(admin_user)
    sent = {"name": clinic.name, "second_factor_roles": ["clinician"]}
    assert admin.post(url("clinic-settings"), sent).status_code == 302
    assert "checked" in admin.get(url("clinic-settings")).content.decode()
    clinic.refresh_from_db()
    assert clinic.second_factor_roles == ["clinician"]

    client = client_for(clinician)
    assert client.get("/").url == url("mfa_index")
    assert client.get(url("account")).url == url("mfa_index")
    page = client.get(url("mfa_index"))
    assert "Your role needs a second factor" in page.content.decode()
    for refused in (client.get("/api/me/"), client.get("/", headers={"X-Requested-With": "fetch"})):
        assert refused.status_code == 403
        assert refused.json()["error"]["code"] == "second_factor_needed"
    token = {"Authorization": f"Token {factories.make_token(clinician)}"}
    assert Client().get("/api/me/", headers=token).status_code == 200
    assert client.get(url("help")).status_code == 200
    assert client_for(coordinator).get("/").status_code == 200

    set_up(client)
    assert client.get("/").status_code == 200
    kept = client.post(url("mfa_deactivate_totp"))
    assert "Set up another one" in kept.content.decode()
    assert client.post(url("logout")).status_code == 302

    settings.SECOND_FACTOR_FOR_ADMINS = True
    assert admin.get("/").url == url("mfa_index")


def test_an_admin_helps_who_has_lost_it(client_for, admin_user, clinician, other_clinic):
    client, admin = client_for(clinician), client_for(admin_user)
    set_up(client)
    member = Member.objects.get(user=clinician)
    address = url("member-factor", member.pk)
    assert address in admin.get(url("members")).content.decode()
    assert client.post(address).status_code == 403
    there = Member.objects.create(clinic=other_clinic, user=clinician, role=Role.CLINICIAN)
    assert "no admin" in messages_of(admin.post(address))
    there.delete()
    assert "was removed" in messages_of(admin.post(address))
    assert not Authenticator.objects.exists() and audited("second_factor.remove")
    assert client.get(url("account")).status_code == 302
    assert address not in admin.get(url("members")).content.decode()
    assert Letter.objects.filter(subject="An admin removed your second factor.").exists()


def test_new_recovery_codes_end_those_of_before(client_for, clinician):
    client = client_for(clinician)
    _secret, codes = set_up(client)
    made = client.post(url("mfa_generate_recovery_codes"), follow=True)
    assert not set(made.context["unused_codes"]) & set(codes)
    other = Client()
    other.post(url("login"), PASSWORD)
    assert other.post(url("mfa_authenticate"), {"code": codes[0]}).status_code == 200


def test_a_changed_secret_key_opens_nothing_and_breaks_nothing(client_for, clinician, settings):
    secret, codes = set_up(client_for(clinician))
    former, settings.SECRET_KEY = settings.SECRET_KEY, "another key that is long enough for all of this" * 2
    client = Client()
    client.post(url("login"), PASSWORD)
    for code in (code_of(secret, 1), codes[0]):
        assert client.post(url("mfa_authenticate"), {"code": code}).status_code == 200
    settings.SECRET_KEY_FALLBACKS = [former]
    assert client.post(url("mfa_authenticate"), {"code": code_of(secret, 1)}).status_code == 302


def test_pages_say_what_a_passkey_needs(client_for, clinician):
    page = client_for(clinician).get(url("mfa_add_webauthn"))
    assert re.search(
        r'<script id="passkey-options" type="application/json">{"publicKey"', page.content.decode()
    )
    assert (
        client_for(clinician).post(url("mfa_add_webauthn"), {"name": "x", "credential": "{}"}).status_code
        == 200
    )
    assert client_for(clinician).get(url("mfa_remove_webauthn", 99)).status_code == 404


def test_a_code_counts_with_the_spaces_apps_show_it_with(client_for, clinician):
    secret, _codes = set_up(client_for(clinician))
    client = Client()
    client.post(url("login"), PASSWORD)
    page = client.get(url("mfa_authenticate")).content.decode()
    assert re.search(r'<input[^>]*name="code"[^>]* autofocus', page), "the one field of the page"
    # Not the code of this half minute: that was used to set the app up.
    code = code_of(secret, 1)
    assert client.post(url("mfa_authenticate"), {"code": f"{code[:3]} {code[3:]}"}).status_code == 302


def test_who_has_passkeys_alone_is_asked_for_one_first(clinician):
    Authenticator.objects.create(user=clinician, type="webauthn", data=PASSKEY)
    client = Client()
    client.post(url("login"), PASSWORD)
    page = client.get(url("mfa_authenticate")).content.decode()
    assert "Type the code that your authenticator app shows" not in page
    assert page.index('data-passkey="get"') < page.index('name="code"')
    assert re.search(r"<button[^>]* autofocus>Use a passkey", page) and "Recovery code" in page


def test_the_account_tells_what_is_set_up(client_for, clinician):
    client = client_for(clinician)
    assert "None is set up." in client.get(url("account")).content.decode()
    set_up(client)
    page = client.get(url("account")).content.decode()
    assert "None is set up." not in page and "10 recovery codes are left." in page
    done = client.post(url("mfa_deactivate_totp"), follow=True)
    assert "The authenticator app was removed." in done.content.decode()
