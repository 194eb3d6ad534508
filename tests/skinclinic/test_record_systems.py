"""Patients opened from the hospital's record system, which is a process of its own (tests/record_system.py)."""

import contextlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from django.test import Client

from skinclinic.models import AuditEvent, Lesion, RecordSystem
from skinclinic.services import record_systems
from skinclinic.settings.single_sign_on import _roles
from tests import factories, peers, servers
from tests.record_system import CLIENT, CODES, SECRET
from tests.skinclinic.pages import messages_of, url

pytestmark = pytest.mark.django_db
BACK = "http://testserver/smart/back"


@contextlib.contextmanager
def running_record_system(back: str) -> Iterator[str]:
    """Its FHIR address; ``back``: the redirect address that is registered there."""
    port = servers.free_port()
    command = [sys.executable, "-m", "tests.record_system", str(port), back]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None and "listening" in process.stdout.readline()
        yield f"http://127.0.0.1:{port}/fhir"
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def running():
    with running_record_system(BACK) as address:
        yield address


@pytest.fixture
def system(running, clinic, admin_user, settings):
    settings.WEBHOOK_NETWORKS = ["127.0.0.0/8"]
    return record_systems.make(
        clinic,
        admin_user,
        name="Records",
        issuer=running,
        client_id=CLIENT,
        secret=SECRET,
        identifier_system=CODES,
    )


def launched(client: Client, system: RecordSystem, patient: str):
    """Launch as a browser that the record system sends here and there; the answer to its coming back."""
    leaving = client.get(url("smart-launch"), {"iss": f"{system.issuer}/", "launch": patient})
    assert leaving.status_code == 302, leaving.content.decode()[-2000:]
    there = requests.get(leaving.url, allow_redirects=False, timeout=120)
    assert there.status_code == 302, there.text
    assert there.headers["Location"].startswith(BACK)
    return client.get(there.headers["Location"])


def test_a_patient_is_opened_by_the_code_in_the_record_system(system, clinic, clinician, client_for):
    patient = factories.make_patient(clinic, "P-1042")
    client = client_for(clinician)
    assert launched(client, system, "kim").url == url("patient", patient.pk)
    told = AuditEvent.objects.get(action="patient.launch")
    assert (told.user_key, told.patient_key) == (clinician.pk, patient.pk)
    # With one lesion its case.
    lesion = Lesion.objects.create(clinic=clinic, patient=patient)
    assert launched(client, system, "kim").url == url("lesion", lesion.pk)
    Lesion.objects.create(clinic=clinic, patient=patient)
    assert launched(client, system, "kim").url == url("patient", patient.pk)


def test_a_patient_that_is_not_here_is_offered_to_be_made(
    system, clinician, coordinator, other_clinic, client_for
):
    factories.make_patient(other_clinic, "P-9000")
    page = launched(client_for(clinician), system, "new")
    assert page.status_code == 200 and f"{url('patient-new')}?code=P-9000" in page.content.decode()
    assert "code=P-9000" not in launched(client_for(coordinator), system, "new").content.decode()


def test_what_goes_wrong_is_said_and_opens_nothing(system, clinic, clinician, outsider, client_for):
    factories.make_patient(clinic, "P-1042")
    client = client_for(clinician)
    for patient, status, said in (
        ("nobody", 409, "no identifier"), ("none", 409, "named no patient"), ("refused", 502, "did not let"),
    ):  # fmt: skip
        page = launched(client, system, patient)
        assert page.status_code == status and said in page.content.decode(), patient
    # Back without having left, twice, or in another browser.
    leaving = client.get(url("smart-launch"), {"iss": system.issuer, "launch": "kim"}).url
    back = requests.get(leaving, allow_redirects=False, timeout=120).headers["Location"]
    other = client_for(clinician).get(back)
    assert other.status_code == 400 and "another browser" in other.content.decode()
    assert client.get(back).status_code == 302 and client.get(back).status_code == 400
    assert client.get(url("smart-back")).status_code == 400
    # A code of another launch does not fit its verifier.
    first, second = (
        client.get(url("smart-launch"), {"iss": system.issuer, "launch": "kim"}).url for _ in range(2)
    )
    code = parse_qs(
        urlsplit(requests.get(first, allow_redirects=False, timeout=120).headers["Location"]).query
    )["code"]
    state = parse_qs(urlsplit(second).query)["state"]
    assert client.get(url("smart-back"), {"code": code, "state": state}).status_code == 502
    # Only of addresses that an admin of the own clinic has set up is anything asked.
    for issuer in ("http://127.0.0.1:1/fhir", "", "http://[", f"{system.issuer}.example"):
        page = client.get(url("smart-launch"), {"iss": issuer, "launch": "kim"})
        assert page.status_code == 403 and "not set up for your clinic" in page.content.decode()
    assert client_for(outsider).get(url("smart-launch"), {"iss": system.issuer}).status_code == 403


def test_the_networks_that_are_asked_are_the_operators_to_allow(system, clinician, client_for, settings):
    settings.WEBHOOK_NETWORKS = []
    page = client_for(clinician).get(url("smart-launch"), {"iss": system.issuer, "launch": "kim"})
    assert page.status_code == 502 and "WEBHOOK_NETWORKS" in page.content.decode()


def test_a_wrong_secret_and_a_changed_key_are_told_to_the_admin(system, clinician, client_for, settings):
    RecordSystem.objects.update(secret=record_systems._cipher().encrypt(b"wrong").decode())
    assert launched(client_for(clinician), system, "kim").status_code == 502
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another key of this server, for tests only", []
    client = client_for(clinician)
    page = launched(client, system, "kim")
    assert page.status_code == 502 and "key was changed" in page.content.decode()


def test_who_is_not_signed_in_goes_by_the_hospitals_own_sign_in(system, settings):
    address = f"{url('smart-launch')}?iss={system.issuer}&launch=kim"
    answer = Client().get(address)
    assert answer.status_code == 302 and answer.url.startswith("/login/?next=/smart/launch")
    settings.OIDC_ISSUER = "https://login.example.org"
    answer = Client().get(address)
    asked = urlsplit(answer.url)
    assert asked.path == url("openid_connect_login", "hospital")
    assert parse_qs(asked.query)["next"] == [address.replace("iss=http://", "iss=http://")]


def test_admins_set_record_systems_up(client_for, admin_user, clinician, clinic):
    client = client_for(admin_user)
    sent = {
        "name": "Records",
        "issuer": "https://records.example.org/fhir/",
        "client_id": "x",
        "secret": "KEEP-4711",
    }
    assert messages_of(client.post(url("record-systems"), sent)) == "Saved."
    row = clinic.record_systems.get()
    assert row.issuer == "https://records.example.org/fhir" and "KEEP-4711" not in row.secret
    assert "KEEP-4711" not in str([vars(event) for event in AuditEvent.objects.all()])
    page = client.get(url("record-systems")).content.decode()
    assert "http://testserver/smart/launch" in page and BACK in page and "KEEP-4711" not in page
    for wrong in ({}, {"issuer": "records"}, {"issuer": "https://me:pw@records.example.org"}):
        assert client.post(url("record-systems"), sent | wrong).status_code == 422
    client.post(url("record-system-act", row.pk), {"act": "off"})
    assert not clinic.record_systems.get().is_on
    with pytest.raises(record_systems.Failed):
        record_systems.called(clinician, row.issuer, clinic)
    client.post(url("record-system-act", row.pk), {"act": "on"})
    assert record_systems.called(clinician, row.issuer, clinic) == row
    client.post(url("record-system-act", row.pk), {"act": "remove"})
    assert not clinic.record_systems.exists()
    assert client_for(clinician).get(url("record-systems")).status_code == 403
    assert AuditEvent.objects.filter(action="settings.record_system").count() == 4


@pytest.mark.oidc
@pytest.mark.django_db(transaction=True)
def test_who_is_signed_in_nowhere_comes_by_the_hospitals_provider_to_the_patient(
    live_server, settings, clinic, admin_user, tmp_path
):
    """The record system, the provider and the product are three servers; a browser is sent from one to the next."""
    patient = factories.make_patient(clinic, "P-1042")
    (tmp_path / "groups.json").write_text(json.dumps({"nora": ["derm-doctors"]}))
    settings.WEBHOOK_NETWORKS = ["127.0.0.0/8"]
    settings.OIDC_ROLES = _roles("derm-doctors=hanok-dermatology:clinician")
    callback = live_server.url + url("openid_connect_callback", "hospital")
    with (
        peers.running_oidc_provider(servers.free_port(), callback, tmp_path / "groups.json") as provider,
        running_record_system(live_server.url + url("smart-back")) as issuer,
    ):
        settings.OIDC_ISSUER = provider
        app = {
            "provider_id": "hospital", "name": "hospital account", "client_id": "skinclinic",
            "secret": "a secret of tests", "settings": {"server_url": provider},
        }  # fmt: skip
        settings.SOCIALACCOUNT_PROVIDERS = {
            "openid_connect": {
                "OAUTH_PKCE_ENABLED": True, "SCOPE": ["openid", "profile", "email", "groups"], "APPS": [app],
            }
        }  # fmt: skip
        record_systems.make(
            clinic,
            admin_user,
            name="Records",
            issuer=issuer,
            client_id=CLIENT,
            secret=SECRET,
            identifier_system=CODES,
        )
        browser = requests.Session()
        page = browser.get(live_server.url + url("smart-launch"), params={"iss": issuer, "launch": "kim"})
        for _form in ("login", "consent"):
            action = re.search(r'<form[^>]*action="([^"]+)"', page.text)[1]
            prompt = re.search(r'name="prompt" value="([^"]+)"', page.text)[1]
            page = browser.post(action, {"prompt": prompt, "login": "nora", "password": "x"})
            if page.url.startswith(live_server.url):
                break
    assert (page.status_code, page.url) == (200, live_server.url + url("patient", patient.pk))
    assert AuditEvent.objects.get(action="patient.launch").user_name == "nora of the hospital"
