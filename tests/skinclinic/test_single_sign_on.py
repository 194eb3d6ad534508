"""Signing in at the hospital's own provider: what its claims give and take."""

import json
import re
from datetime import timedelta

import pytest
import requests
from django.test import RequestFactory
from django.utils import timezone

from skinclinic.models import Member, Role, Session, User
from skinclinic.services import people, single_sign_on, tokens
from skinclinic.settings.single_sign_on import _roles
from skinclinic.web import sessions
from tests import factories, peers, servers
from tests.skinclinic.pages import url


@pytest.fixture
def roles(settings):
    settings.OIDC_ROLES = _roles(
        "derm-admins=hanok-dermatology:admin, derm-doctors=hanok-dermatology:clinician,"
        "CN=Skin=elsewhere-skin-centre:curator"
    )


def roles_of(user: User) -> dict[str, str]:
    return dict(user.memberships.filter(is_active=True).values_list("clinic__slug", "role"))


def test_what_claims_say(roles):
    for value, wanted in [
        (["derm-doctors", "derm-admins"], {"hanok-dermatology": "admin"}),
        ("CN=Skin", {"elsewhere-skin-centre": "curator"}),
        (["unknown", 5, None, {}], {}),
        (None, {}),
        ("", {}),
    ]:
        assert single_sign_on.wanted({"groups": value}) == wanted
    for nonsense in ("x", "x=y", "x=y:boss", "=y:admin"):
        with pytest.raises(Exception, match="OIDC_ROLES"):
            _roles(nonsense)


@pytest.mark.django_db
def test_claims_rule_what_they_have_given(roles, clinic, other_clinic, admin_user):
    user = User.objects.create(username="nora")
    invited = Member.objects.create(clinic=other_clinic, user=user, role=Role.CLINICIAN)
    single_sign_on.apply(user, {"groups": ["derm-doctors"]})
    assert roles_of(user) == {"hanok-dermatology": "clinician", "elsewhere-skin-centre": "clinician"}
    single_sign_on.apply(user, {"groups": ["derm-admins"]})
    assert roles_of(user)["hanok-dermatology"] == "admin"
    single_sign_on.apply(user, {"groups": []})
    assert roles_of(user) == {"elsewhere-skin-centre": "clinician"}, "an invitation stands"
    invited.refresh_from_db()
    assert not invited.from_provider
    single_sign_on.apply(user, {"groups": ["CN=Skin"]})
    assert roles_of(user) == {"elsewhere-skin-centre": "curator"}
    # The only admin stays one.
    single_sign_on.apply(user, {"groups": ["derm-admins"]})
    people.change_member(Member.objects.get(clinic=clinic, user=admin_user), is_active=False)
    single_sign_on.apply(user, {"groups": []})
    assert roles_of(user) == {"hanok-dermatology": "admin"}


@pytest.mark.django_db
def test_who_is_blocked_at_the_provider_is_out_within_the_hour(client_for, clinician, settings, monkeypatch):
    """A session that began there ends, whatever is done in it, and what a person of the provider has made waits."""
    client = client_for(clinician)
    request = RequestFactory().get("/")
    request.session = client.session
    sessions.begin(None, request)
    own = request.session.get_expiry_age()
    assert own > 11 * 3600, "a session of our own"
    sessions.begun_at_provider(None, request)
    assert request.session.get_expiry_age() == pytest.approx(own, abs=2), "and no other is shortened"
    sessions.begun_at_provider(None, request, sociallogin=object())
    request.session.save()
    assert 3500 < request.session.get_expiry_age() <= 3600
    real, gone = timezone.now, timedelta()
    monkeypatch.setattr(timezone, "now", lambda: real() + gone)
    for minutes, status in ((20, 200), (40, 200), (59, 200), (61, 302)):
        gone = timedelta(minutes=minutes)
        assert client.get(url("account")).status_code == status
    gone = timedelta()
    settings.SESSION_COOKIE_AGE = 600
    sessions.begun_at_provider(None, request, sociallogin=object())
    assert request.session.get_expiry_age() <= 600, "nor is one made longer"


@pytest.mark.django_db
def test_tokens_wait_for_who_has_not_signed_in_at_the_provider(clinician, clinic, settings):
    key, weeks_ago = factories.make_token(clinician), timezone.now() - timedelta(days=8)
    settings.OIDC_ISSUER = "https://login.example.org"
    User.objects.filter(pk=clinician.pk).update(last_login=weeks_ago)
    assert tokens.find(key).owner == clinician, "who has a password here"
    clinician.set_unusable_password()
    clinician.save()
    for at in (weeks_ago, None):
        User.objects.filter(pk=clinician.pk).update(last_login=at)
        with pytest.raises(tokens.NotAccepted, match="Sign in once more at hospital account"):
            tokens.find(key)
    User.objects.filter(pk=clinician.pk).update(last_login=timezone.now())
    assert tokens.find(key)
    service = tokens.make_service_account(clinic, name="Program", role="clinician").user
    assert tokens.find(factories.make_token(service, clinic=clinic)), "a program has nothing to sign in with"


def sign_in(base: str, login: str) -> requests.Response:
    """Sign in at the provider as a browser would; return the page it ends on."""
    browser = requests.Session()
    page = browser.get(f"{base}/login/")
    assert "Sign in with your hospital account" in page.text
    page = browser.get(f"{base}/sso/hospital/?next=/account/")
    for _form in ("login", "consent"):
        action = re.search(r'<form[^>]*action="([^"]+)"', page.text)[1]
        prompt = re.search(r'name="prompt" value="([^"]+)"', page.text)[1]
        page = browser.post(action, {"prompt": prompt, "login": login, "password": "x"})
        if page.url.startswith(base):
            break
    return page


@pytest.mark.oidc
@pytest.mark.django_db(transaction=True)
def test_somebody_signs_in_at_a_real_provider(
    live_server, settings, roles, clinic, other_clinic, admin_user, tmp_path
):
    def are(**groups: list[str]) -> None:
        (tmp_path / "groups.json").write_text(json.dumps(groups))

    factories.make_member(other_clinic, "admin", "nora")
    callback = live_server.url + url("openid_connect_callback", "hospital")
    with peers.running_oidc_provider(servers.free_port(), callback, tmp_path / "groups.json") as issuer:
        settings.OIDC_ISSUER = issuer
        app = {
            "provider_id": "hospital", "name": "hospital account", "client_id": "skinclinic",
            "secret": "a secret of tests", "settings": {"server_url": issuer},
        }  # fmt: skip
        scope = ["openid", "profile", "email", "groups"]
        settings.SOCIALACCOUNT_PROVIDERS = {
            "openid_connect": {"OAUTH_PKCE_ENABLED": True, "SCOPE": scope, "APPS": [app]}
        }
        settings.SECOND_FACTOR_FOR_ADMINS = True

        are(nobody=["visitors"], nora=["derm-admins"])
        refused = sign_in(live_server.url, "nobody")
        assert (refused.status_code, "No clinic is open to you" in refused.text) == (403, True)
        assert not User.objects.filter(username__startswith="nobody").exists()

        page = sign_in(live_server.url, "nora")
        assert (page.status_code, page.url) == (200, live_server.url + "/account/")
        user = User.objects.get(socialaccount__uid="nora")
        assert (user.username, user.display_name, user.email) == (
            "nora-2",
            "nora of the hospital",
            "nora@hospital.example",
        )
        assert not user.has_usable_password(), "and she is not the nora who was here before"
        assert roles_of(user) == {"hanok-dermatology": "admin"}

        ends = max(Session.objects.filter(user=user).values_list("expire_date", flat=True))
        assert ends < timezone.now() + timedelta(minutes=61)

        are(nora=["derm-doctors"])
        assert sign_in(live_server.url, "nora").status_code == 200
        assert roles_of(user) == {"hanok-dermatology": "clinician"}
        are()
        assert sign_in(live_server.url, "nora").status_code == 403
        assert roles_of(user) == {}
        assert User.objects.filter(socialaccount__uid="nora").count() == 1

    gone = requests.get(f"{live_server.url}/sso/hospital/")
    assert (gone.status_code, "did not work" in gone.text) == (502, True)
    assert requests.get(callback + "?code=x&state=y", allow_redirects=False).status_code >= 400
    assert requests.get(f"{live_server.url}/sso/hospital/?process=connect").status_code == 404
    assert requests.get(f"{live_server.url}/sso/other/").status_code == 404
