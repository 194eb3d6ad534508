"""What needs a password of the last minutes: exporting, publishing, unblinding, deleting for good."""

from datetime import timedelta

import pytest
from django.test import RequestFactory
from django.utils import timezone

from skinclinic.models import ApiToken, BinItem, Retention
from skinclinic.services import record_systems, step_up, tokens, webhooks
from skinclinic.services.binning import bin as service
from skinclinic.web.confirming import ConfirmFirst
from tests import factories
from tests.passkey import HOST, Passkey
from tests.skinclinic.pages import url

pytestmark = pytest.mark.django_db
MINUTES_11 = timedelta(minutes=11)


@pytest.fixture
def later(monkeypatch):
    real = timezone.now
    return lambda: monkeypatch.setattr(timezone, "now", lambda: real() + MINUTES_11)


@pytest.fixture
def item(clinic, admin_user) -> BinItem:
    return service.put(factories.make_patient(clinic), admin_user, reason="mistake")


def test_a_form_asks_for_the_password_and_keeps_what_was_typed(client_for, admin_user, item, later):
    client = client_for(admin_user)
    later()
    address = url("bin-empty", item.pk)
    asked = client.post(address, {"reason": "typed <b>", "tags": ["a", "b"], "csrfmiddlewaretoken": "x"})
    assert asked.status_code == 403
    kept = asked.context["kept"]
    assert kept == [("reason", "typed <b>"), ("tags", "a"), ("tags", "b")]
    assert b"typed &lt;b&gt;" in asked.content
    wrong = client.post(address, dict(kept) | {"confirm_password": "wrong"})
    assert wrong.status_code == 403 and b'role="alert"' in wrong.content
    assert wrong.context["kept"] == [("reason", "typed <b>"), ("tags", "b")], "never the password"
    item.refresh_from_db()
    assert item.ended_how == ""
    done = client.post(address, dict(kept) | {"confirm_password": factories.PASSWORD})
    assert done.status_code == 302
    item.refresh_from_db()
    assert item.ended_how == "emptied"


def test_a_passkey_confirms_too_and_answers_what_was_asked_last(client_for, admin_user, item, later):
    key, client = Passkey(admin_user), client_for(admin_user)
    client.defaults |= {"wsgi.url_scheme": "https", "SERVER_NAME": HOST}
    later()
    address = url("bin-empty", item.pk)
    first = client.post(address, {"tags": "a"}).context["passkey_options"]
    second = client.post(address, {"tags": "a"})
    assert b'data-use-passkey="confirm_passkey"' in second.content
    for wrong in (key.answer(first), "{}", "no JSON", Passkey(make_member(item.clinic)).answer(first)):
        again = client.post(address, {"confirm_passkey": wrong})
        assert again.status_code == 403 and b"That is not right" in again.content
        assert not [name for name, _value in again.context["kept"] if name == "confirm_passkey"]
    right = key.answer(again.context["passkey_options"])
    assert client.post(address, {"confirm_passkey": right}).status_code == 302
    item.refresh_from_db()
    assert item.ended_how == "emptied"
    later()
    options = client.get(url("confirm"), {"next": "/bin/"}).context["passkey_options"]
    said = {"confirm_passkey": right, "next": "/bin/"}
    assert client.post(url("confirm"), said).status_code == 403, "an answer counts once"
    options = client.get(url("confirm"), {"next": "/bin/"}).context["passkey_options"]
    assert client.post(url("confirm"), said | {"confirm_passkey": key.answer(options)}).url == "/bin/"


def make_member(clinic):
    return factories.make_member(clinic, "clinician", "somebody-else")


def test_who_has_no_passkey_is_offered_none(client_for, admin_user, item, later):
    client = client_for(admin_user)
    later()
    asked = client.post(url("bin-empty", item.pk))
    assert b"data-use-passkey" not in asked.content and asked.context["passkey_options"] is None
    said = {"confirm_passkey": Passkey(make_member(item.clinic)).answer({"publicKey": {"challenge": ""}})}
    assert client.post(url("bin-empty", item.pk), said).status_code == 403


def test_who_must_wait_keeps_what_was_typed_and_who_thinks_better_of_it_goes_back(
    client_for, admin_user, item, later
):
    client = client_for(admin_user)
    later()
    address = url("bin-empty", item.pk)
    asked = client.post(
        address, {"reason": "typed"}, headers={"Referer": f"http://testserver{url('bin')}?q=1"}
    )
    assert f'href="{url("bin")}?q=1">Cancel</a>' in asked.content.decode()
    sent = {"reason": "typed", "confirm_password": "wrong", "confirm_back": url("bin")}
    for _try in range(5):
        assert client.post(address, sent).status_code == 403
    waiting = client.post(address, sent | {"confirm_password": factories.PASSWORD})
    assert waiting.status_code == 429 and int(waiting["Retry-After"]) > 0
    assert waiting.context["kept"] == [("reason", "typed")]
    page = waiting.content.decode()
    assert "then try again" in page and "Back to sign in" not in page
    assert f'href="{url("bin")}">Cancel</a>' in page
    # Nobody is sent elsewhere.
    away = client.post(address, {"confirm_back": "https://evil.example/"}).content.decode()
    assert "evil" not in away and 'href="/">Cancel</a>' in away
    item.refresh_from_db()
    assert item.ended_how == ""


def test_who_has_just_signed_in_is_not_asked(client_for, admin_user, item):
    assert client_for(admin_user).post(url("bin-empty", item.pk)).status_code == 302


def test_scripts_and_programs(client_for, admin_user, item, later):
    client = client_for(admin_user)
    later()
    address = f"/api/bin/{item.pk}/"
    for refused in (
        client.delete(address),
        client.post(url("bin-empty", item.pk), headers={"X-Requested-With": "fetch"}),
    ):
        assert refused.status_code == 403
        assert refused.json()["error"]["code"] == "confirm_needed"
    token = factories.make_token(admin_user)
    client.logout()
    assert client.delete(address, headers={"Authorization": f"Token {token}"}).status_code == 204


def test_nobody_gets_a_role_from_a_browser_that_was_found_open(
    client_for, admin_user, clinic, clinician, later
):
    member, client = clinician.memberships.get(), client_for(admin_user)
    later()
    to_admin = {"role": "admin", "is_active": "yes"}
    invited = {"email": "who@example.org", "role": "admin"}
    for refused in (
        client.post(url("member-edit", member.pk), to_admin),
        client.post(url("members"), invited),
        client.patch(f"/api/members/{member.pk}/", {"role": "admin"}, content_type="application/json"),
        client.post("/api/invitations/", invited | {"clinic": clinic.slug}, content_type="application/json"),
    ):
        assert refused.status_code == 403 and b"some time since you signed in" in refused.content
    member.refresh_from_db()
    assert member.role == "clinician" and not clinic.invitations.exists()
    said = {"confirm_password": factories.PASSWORD}
    assert client.post(url("member-edit", member.pk), to_admin | said).status_code == 302
    member.refresh_from_db()
    assert member.role == "admin"


def test_nothing_is_told_or_taken_elsewhere_by_a_browser_that_was_found_open(
    client_for, admin_user, clinic, clinician, later
):
    """Systems that patients' data go to or come from, and rules by which they go."""
    client, member = client_for(admin_user), clinician.memberships.get()
    hook, _secret = webhooks.make(clinic, admin_user, url="https://his.example/", events=["study.closed"])
    webhooks.turn(hook, admin_user, on=False)
    system = {
        "name": "HIS",
        "issuer": "https://his.example/fhir",
        "client_id": "skin",
        "identifier_system": "",
    }
    record_system = record_systems.make(clinic, admin_user, secret="", **system)
    record_systems.turn(record_system, admin_user, on=False)
    later()
    told = {"url": "https://his.example/new", "events": ["study.closed"]}
    pacs = {
        "name": "PACS",
        "way": "web",
        "url": "https://pacs.example/dicom-web",
    }
    for refused in (
        client.post(url("webhooks"), told),
        client.post(url("webhook-act", hook.pk), {"act": "on"}),
        client.post("/api/webhooks/", told | {"clinic": clinic.slug}, content_type="application/json"),
        client.patch(f"/api/webhooks/{hook.pk}/", {"is_on": True}, content_type="application/json"),
        client.post(url("record-systems"), system | {"issuer": "https://other.example/fhir"}),
        client.post(url("record-system-act", record_system.pk), {"act": "on"}),
        client.post(url("image-archives"), pacs),
        client.post(url("retention"), {"patients_years": "1"}),
        client.post(url("member-anonymise", member.pk)),
        client.post(url("member-factor", member.pk)),
        client.post(url("member-password", member.pk)),
    ):
        assert refused.status_code == 403 and b"some time since you signed in" in refused.content
    assert clinic.webhooks.get().is_on is False and clinic.record_systems.get().is_on is False
    assert not clinic.image_archives.exists() and not Retention.objects.exists()


def test_a_file_is_asked_for_once_and_leaves_when_confirmed(client_for, admin_user, later):
    client = client_for(admin_user)
    later()
    asked = client.get(url("audit-csv"))
    assert asked.status_code == 403 and "Content-Disposition" not in asked
    assert asked.context["is_page"] and b"confirm_password" in asked.content
    confirmed = {"next": url("audit-csv"), "confirm_password": factories.PASSWORD}
    assert client.post(url("confirm"), confirmed).url == url("audit-csv")
    assert client.get(url("audit-csv"))["Content-Disposition"].startswith("attachment")


def test_a_page_is_asked_for_again(client_for, admin_user, later):
    client = client_for(admin_user)
    later()
    confirm = url("confirm")
    assert client.get(confirm, {"next": "/bin/"}).context["next_page"] == "/bin/"
    wrong = client.post(confirm, {"next": "/bin/", "confirm_password": "wrong"})
    assert wrong.status_code == 403 and ("next", "/bin/") in wrong.context["kept"]
    for page, goes_to in (("/bin/", "/bin/"), ("https://evil.example/", "/start/")):
        answer = client.post(confirm, {"next": page, "confirm_password": factories.PASSWORD})
        assert (answer.status_code, answer.url) == (302, goes_to)


def test_guesses_count_like_those_at_sign_in(client_for, admin_user, item, later):
    client = client_for(admin_user)
    later()
    address = url("bin-empty", item.pk)
    statuses = [client.post(address, {"confirm_password": "wrong"}).status_code for _ in range(6)]
    assert statuses == [403] * 5 + [429]


def test_a_download_that_was_cut_off_goes_on(clinician):
    request = RequestFactory().get("/export/?texts=1")
    request.user = clinician
    request.session = {"_auth_user_id": "1", "signed_in": {"at": timezone.now().isoformat()}}
    step_up.require_for_download(request)
    request.session["signed_in"] = {"at": (timezone.now() - MINUTES_11).isoformat()}
    with pytest.raises(ConfirmFirst):
        step_up.require_for_download(request)
    for address, goes_on in (("/export/?texts=1", True), ("/export/", False)):
        cut_off = RequestFactory().get(address, headers={"Range": "bytes=5-"})
        cut_off.session, cut_off.user = request.session, clinician
        try:
            step_up.require_for_download(cut_off)
            assert goes_on
        except ConfirmFirst:
            assert not goes_on


def test_a_token_outlives_the_session_and_is_asked_for_like_it(client_for, admin_user, clinic, later):
    client, account = (
        client_for(admin_user),
        tokens.make_service_account(clinic, name="PACS", role="clinician"),
    )
    later()
    sent = {"name": "PACS", "scope": "read", "days": "90", "clinic": clinic.slug}
    for address in (url("tokens"), url("service-account", account.pk)):
        assert client.post(address, sent).status_code == 403
    assert not ApiToken.objects.exists()
    made = client.post(url("tokens"), sent | {"confirm_password": factories.PASSWORD})
    assert made.status_code == 200 and ApiToken.objects.count() == 1
