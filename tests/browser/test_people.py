"""Accounts, members and models in a browser; and a session that ends while somebody types."""

import re
from datetime import timedelta

import pytest
from django.conf import settings
from django.core.cache import cache
from django.utils import timezone
from playwright.sync_api import expect

from classifier.models import Assessment
from skinclinic.models import Patient, Session, User
from skinclinic.services import invitations
from tests import factories, followed, results
from tests.browser.axe import violations

pytestmark = pytest.mark.django_db(transaction=True)


def end_session(page):
    Session.objects.all().delete()
    page.allowed_errors.append("401")


def sign_in_again(page):
    dialog = page.locator("#sign-in-again")
    expect(dialog).to_be_visible()
    dialog.get_by_label("Password").fill(factories.PASSWORD)
    dialog.get_by_role("button", name="Sign in").click()
    expect(dialog).to_be_hidden()


def test_a_form_survives_the_end_of_the_session(open_page, clinician):
    page = open_page(clinician, "/patients/new/")
    page.locator("[name=code]").fill("TYPED-1")
    end_session(page)
    page.locator("main form button.btn-primary").first.click()
    sign_in_again(page)
    page.wait_for_url(re.compile(r"/patients/\d+/$"))
    assert Patient.objects.get().code == "TYPED-1"


def test_a_page_that_nobody_touches_is_covered_and_keeps_what_was_typed(
    open_page, live_server, clinician, settings
):
    page = open_page(clinician, "/account/")
    page.allowed_errors.append("401")
    settings.SESSION_IDLE_SECONDS = 2
    # The two seconds begin when something was typed, however long the page takes until then.
    Session.objects.update(used_at=timezone.now() + timedelta(hours=1))
    page.goto(live_server.url + "/patients/new/")
    page.locator("[name=code]").fill("TYPED-3")
    Session.objects.update(used_at=timezone.now())
    dialog = page.locator("#sign-in-again.is-covering")
    expect(dialog).to_be_visible()
    settings.SESSION_IDLE_SECONDS = 1800
    sign_in_again(page)
    expect(dialog).to_have_count(0)
    expect(page.locator("[name=code]")).to_have_value("TYPED-3")


def test_what_two_people_changed_is_met_with_the_focus_there(open_page, clinician, clinic):
    patient = factories.make_patient(clinic)
    page = open_page(clinician, f"/patients/{patient.pk}/edit/")
    page.allowed_errors.append("409")
    Patient.objects.filter(pk=patient.pk).update(ethnicity="Korean")
    page.fill("[name=ethnicity]", "Japanese")
    page.keyboard.press("Enter")
    expect(page.locator("#changed-meanwhile")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/patients/{patient.pk}/")
    assert Patient.objects.get().ethnicity == "Japanese"


def test_saved_in_place_the_request_sent_again_carries_the_new_token(
    open_page, live_server, client_for, photo, clinician, curator
):
    analysis = results.finished(photo, clinician)
    page = open_page(clinician, f"/photos/{photo.pk}/")
    page.locator("[name=decision][value=dismiss]").check()
    end_session(page)
    page.get_by_role("button", name="Save the decision").click()
    sign_in_again(page)
    expect(page.locator(".assess-saved")).to_contain_text("Saved")
    assert Assessment.objects.get(analysis=analysis).decision == "dismiss"
    # Somebody else signed in, in another tab: this page writes nothing in that name.
    other = client_for(curator).cookies[settings.SESSION_COOKIE_NAME].value
    page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": other, "url": live_server.url}])
    page.locator("[data-undo]").click()
    sign_in_again(page)
    expect(page.locator(".assess-saved")).to_have_count(0)
    assert set(Assessment.objects.values_list("user__username", flat=True)) == {clinician.username}


def test_a_wrong_password_in_the_dialog_is_said(open_page, clinician):
    page = open_page(clinician, "/patients/new/")
    end_session(page)
    page.locator("[name=code]").fill("TYPED-2")
    page.locator("main form button.btn-primary").first.click()
    dialog = page.locator("#sign-in-again")
    dialog.get_by_label("Password").fill("wrong")
    dialog.get_by_role("button", name="Sign in").click()
    expect(dialog.get_by_role("alert")).to_contain_text("not right")
    expect(page.locator("[name=code]")).to_have_value("TYPED-2")


def test_somebody_joins_and_signs_in_again(open_page, clinic, admin_user):
    _invitation, secret = invitations.invite(
        clinic, email="nora@example.org", role="clinician", by=admin_user
    )
    page = open_page(None, f"/join/{secret}/")
    page.get_by_label("Your name").fill("Nora Neu")
    page.get_by_label("User name").fill("nora")
    password = page.get_by_label("Password", exact=True)
    for typed, said in (("short", "Too short"), ("aaaaaaaaaaaab", "Easy"), ("a river of cold milk", "Hard")):
        password.fill(typed)
        expect(page.locator(".password-strength output")).to_contain_text(said)
    show = page.get_by_role("button", name="Show what was typed").first
    show.click()
    expect(password).to_have_attribute("type", "text")
    expect(password).to_be_focused()
    page.get_by_role("button", name="Hide what was typed").click()
    expect(password).to_have_attribute("type", "password")
    page.get_by_label("Password confirmation").fill("a river of cold milk")
    page.get_by_role("button", name="Join").click()
    expect(page.get_by_text("Welcome to Hanok Dermatology")).to_be_visible()
    page.get_by_role("button", name="Nora Neu").click()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_label("User name").fill("nora")
    page.get_by_label("Password").fill("a river of cold milk")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(re.compile(r"/$"))


def test_admin_invites_and_copies_the_link(open_page, admin_user):
    page = open_page(admin_user, "/clinic/members/")
    page.get_by_label("E-mail").fill("nora@example.org")
    page.get_by_role("button", name="Invite").click()
    link = page.get_by_label("Link", exact=True)
    expect(link).to_have_value(re.compile("/join/.{43}/$"))
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == link.input_value()


def test_admin_takes_access_away_after_a_question(open_page, admin_user, clinician):
    page = open_page(admin_user, "/clinic/members/")
    row = page.locator(".person", has_text="Clara")
    row.get_by_role("button", name="Take away access").click()
    page.locator("#confirm-dialog").get_by_role("button", name="Take away access").click()
    expect(page.locator(".person", has_text="Clara")).to_contain_text("no access")
    assert not User.objects.get(username="clara").memberships.get().is_active


def test_admin_publishes_and_rolls_back(open_page, admin_user, clinic, model_version, tmp_path):
    from classifier.services.models import registry

    second = factories.make_model_dir(tmp_path / "second", name="second", seed=2)
    factories.proven(registry.register(second, clinic=clinic))
    page = open_page(admin_user, "/models/")
    page.get_by_role("link", name="second").click()
    page.get_by_label("Reason").fill("better on nevi")
    page.get_by_role("button", name="Publish").click()
    dialog = page.locator("#confirm-dialog")
    expect(dialog).to_contain_text("it knows nothing")
    expect(dialog).to_contain_text("nobody knows how it does on this clinic’s photos")
    dialog.get_by_role("button", name="Publish").click()
    expect(page.get_by_text("From the next photo on, second is used.")).to_be_visible()
    page.get_by_role("button", name="Roll back to tiny").click()
    expect(dialog).not_to_contain_text("it knows nothing")
    page.locator("#confirm-dialog").get_by_role("button", name="Roll back").click()
    expect(page.get_by_text("Rolled back: from the next photo on, tiny is used.")).to_be_visible()
    assert registry.published(clinic) == model_version


PAGES = [
    "/account/",
    "/account/password/",
    "/account/second-factor/app/",
    "/account/tokens/",
    "/clinic/audit/",
    "/clinic/members/",
    "/clinic/service-accounts/",
    "/clinic/settings/",
    "/clinic/letterhead/",
    "/help/",
    "/models/",
    "/models/after-publishing/",
    "/models/after-publishing/rule/",
    "/models/register/",
]


@pytest.mark.parametrize(("width", "dark", "language"), [(1440, False, "en"), (390, True, "ko")])
def test_pages_are_accessible_and_fit(
    open_page, live_server, admin_user, clinic, model_version, width, dark, language
):
    long_name = factories.make_member(clinic, "coordinator", "a_very_long_user_name_that_goes_on_and_on")
    long_name.display_name = "Wolfeschlegelsteinhausenbergerdorff-Papadimitropoulos 남궁민수"
    long_name.save()
    invitations.invite(
        clinic,
        email="someone.with.a.long.address@department.hospital.example.org",
        role="curator",
        by=admin_user,
    )
    followed.make_alarm(clinic, model_version, admin_user)
    page = open_page(admin_user, width=width, dark=dark, language=language)
    for path in [*PAGES, f"/models/{model_version.pk}/"]:
        page.goto(live_server.url + path)
        assert violations(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path


def test_a_passkey_and_codes_let_somebody_in(open_page, clinician, settings, live_server):
    cache.clear()
    page = open_page(clinician, "/account/second-factor/")
    # Passkeys belong to names, not to numbers.
    local = page.url.replace("127.0.0.1", "localhost")
    session = next(one for one in page.context.cookies() if one["name"] == settings.SESSION_COOKIE_NAME)
    page.context.add_cookies([{"name": session["name"], "value": session["value"], "url": local}])
    devices = page.context.new_cdp_session(page)
    devices.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasUserVerification": True,
        "isUserVerified": True,
    }
    devices.send(
        "WebAuthn.addVirtualAuthenticator", {"options": options | {"automaticPresenceSimulation": True}}
    )
    page.goto(local)
    page.get_by_role("link", name="Add a passkey").click()
    assert violations(page) == []
    page.get_by_role("button", name="Add a passkey").click()
    codes = page.locator(".recovery-codes code")
    expect(codes).to_have_count(10)
    code = codes.first.inner_text()
    page.context.clear_cookies()
    page.goto(local.replace("/account/second-factor/", "/login/?next=/patients/new/"))
    page.get_by_label("User name").fill("clara")
    page.get_by_label("Password", exact=True).fill(factories.PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url("**/patients/new/")

    page.locator("[name=code]").first.fill("TYPED-4")
    end_session(page)
    page.locator("main form button.btn-primary").first.click()
    dialog = page.locator("#sign-in-again")
    dialog.get_by_label("Password").fill(factories.PASSWORD)
    dialog.get_by_role("button", name="Sign in").click()
    dialog.get_by_label("Code of your authenticator app").fill("000000")
    dialog.get_by_role("button", name="Sign in").click()
    expect(dialog.get_by_role("alert")).to_contain_text("code is not right")
    dialog.get_by_label("Code of your authenticator app").fill(code)
    dialog.get_by_role("button", name="Sign in").click()
    page.wait_for_url(re.compile(r"/patients/\d+/$"))

    # The passkey instead of the code, once the password was right.
    page.goto(local.replace("/account/second-factor/", "/patients/new/"))
    page.locator("[name=code]").first.fill("TYPED-5")
    end_session(page)
    page.locator("main form button.btn-primary").first.click()
    expect(dialog.get_by_role("button", name="Use a passkey")).to_be_hidden()
    dialog.get_by_label("Password").fill(factories.PASSWORD)
    dialog.get_by_role("button", name="Sign in").click()
    dialog.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url(re.compile(r"/patients/\d+/$"))

    # A page that asks to confirm, and the dialog that asks in place.
    sign_in_of_long_ago()
    page.allowed_errors.append("403")
    page.goto(local.replace("/account/second-factor/", "/account/second-factor/app/"))
    assert violations(page) == []
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("heading", name="Authenticator app")).to_be_visible()
    sign_in_of_long_ago()
    page.evaluate(
        """import("/static/js/http.js").then(({ send }) => send("/account/sign-out-there/", { method: "POST" }))
            .then((answer) => { document.title = `answered ${answer.status}`; }); null"""
    )
    expect(dialog).to_be_visible()
    assert violations(page) == []
    dialog.get_by_role("button", name="Use a passkey").click()
    expect(page).to_have_title("answered 200")
    expect(dialog).to_be_hidden()


def sign_in_of_long_ago():
    """Everybody's last password is older than what must not be done without asks for."""
    for row in Session.objects.all():
        data = row.get_decoded()
        data.pop("confirmed_at", None)
        data["signed_in"]["at"] = "2020-01-01T00:00:00+00:00"
        row.session_data = row.get_session_store_class()().encode(data)
        row.save()
