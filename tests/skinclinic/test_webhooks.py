"""Webhooks: signed messages of ids alone, tried again, never into a private network that nobody has allowed."""

import hashlib
import hmac
import json
import socket
import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import ip_network

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from skinclinic.engine import jobs
from skinclinic.models import AuditEvent, Job, Webhook, WebhookMessage
from skinclinic.services import diagnoses, webhooks
from skinclinic.web import outgoing
from tests import factories
from tests.cases import each
from tests.skinclinic.pages import url

pytestmark = pytest.mark.django_db
HERE = [ip_network("127.0.0.0/8")]


class System:
    """Another system, on this machine: what came, and what it answers."""

    def __init__(self):
        self.came: list[tuple[dict[str, str], bytes]] = []
        self.status, self.says, system = 204, b"", self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                system.came.append((dict(self.headers), body))
                self.send_response(system.status)
                self.send_header("Location", "http://127.0.0.1:1/elsewhere")
                self.end_headers()
                self.wfile.write(system.says)

            def log_message(self, *args):
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}/skinclinic?a=1"


@pytest.fixture
def system(settings):
    settings.WEBHOOK_NETWORKS = ["127.0.0.0/8"]
    system = System()
    thread = threading.Thread(target=system.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield system
    system.server.shutdown()
    system.server.server_close()


@pytest.fixture
def hooked(clinic, admin_user, system):
    return webhooks.make(
        clinic, admin_user, url=system.address, events=["analysis.done", "pathology.recorded"]
    )


def test_what_happens_is_told_signed_and_by_ids_alone(
    hooked, system, clinic, clinician, analysis, other_clinic
):
    webhook, secret = hooked
    analysis.photo.lesion.patient = factories.make_patient(clinic, "P-SECRET")
    analysis.photo.lesion.save()
    jobs.run_waiting("analyse")
    lesion = analysis.photo.lesion
    said = {"kind": "pathology", "disease": "bcc", "confirmed_by": "histopathology"}
    pathology = diagnoses.record(lesion=lesion, user=clinician, **said)
    diagnoses.record(lesion=lesion, user=clinician, kind="impression", disease="mm")
    webhooks.tell(clinic, "study.closed", study=1)
    webhooks.tell(other_clinic, "analysis.done", analysis=1)
    assert not system.came
    jobs.run_waiting("webhook")
    assert [json.loads(body)["data"] for _headers, body in system.came] == [
        {"analysis": analysis.pk, "photo": analysis.photo_id, "lesion": lesion.pk},
        {"diagnosis": pathology.pk, "lesion": lesion.pk},
    ]
    headers, body = system.came[0]
    assert set(json.loads(body)) == {"id", "event", "at", "clinic", "data"} and b"P-SECRET" not in body
    at, signed = (part.partition("=")[2] for part in headers["SkinClinic-Signature"].split(","))
    assert hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest() == signed
    assert set(webhook.messages.values_list("state", "tries", "answered")) == {("arrived", 1, 204)}
    assert secret not in str(list(Webhook.objects.values()))


@pytest.mark.parametrize("status", [500, 302, 404])
def test_what_does_not_arrive_is_tried_again_and_given_up_in_the_end(hooked, system, status):
    webhook, _secret = hooked
    system.status = status
    webhooks.tell(webhook.clinic, "analysis.done", analysis=1)
    for tries in range(1, len(webhooks.PAUSES) + 2):
        assert jobs.run_waiting("webhook") == 1 and len(system.came) == tries
        webhooks.send_what_is_due()
        assert jobs.run_waiting("webhook") == 0
        WebhookMessage.objects.update(next_at=timezone.now() - timedelta(seconds=1))
        webhooks.send_what_is_due()
    message = webhook.messages.get()
    assert (message.state, message.answered, message.problem) == ("given_up", status, "refused")
    assert len({json.loads(body)["id"] for _headers, body in system.came}) == 1
    webhook.refresh_from_db()
    assert webhook.is_on and webhook.failing_since


def test_what_fails_for_days_is_turned_off_and_said_so(
    hooked, system, settings, client_for, admin_user, clinician
):
    """To admins alone."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    webhook, _secret = hooked
    system.status = 500
    webhooks.test(webhook, admin_user)
    jobs.run_waiting("webhook")
    webhook.refresh_from_db()
    assert webhook.failing_since is None, "a test that fails tells nothing of what is told"
    webhook.messages.all().delete()
    Webhook.objects.update(failing_since=timezone.now() - webhooks.OFF_AFTER - timedelta(minutes=1))
    webhooks.tell(webhook.clinic, "analysis.done", analysis=1)
    webhooks.tell(webhook.clinic, "analysis.done", analysis=2)
    jobs.run_waiting("webhook")
    webhook.refresh_from_db()
    assert not webhook.is_on and webhook.gave_up_at
    assert len(system.came) == 2, "the test and the first; nothing more once it is off"
    assert AuditEvent.objects.get(action="webhook.off").facts == {"why": "failing"}
    jobs.run_waiting("mail")
    [told] = mail.outbox
    assert "was turned off" in told.subject and told.to == [admin_user.email]
    webhooks.tell(webhook.clinic, "analysis.done", analysis=3)
    assert webhook.messages.count() == 2
    client = client_for(admin_user)
    assert "nothing had arrived for 3 days" in client.get(url("webhook", webhook.pk)).content.decode()
    client.post(url("webhook-act", webhook.pk), {"act": "on"})
    assert AuditEvent.objects.get(action="webhook.on").user_key == admin_user.pk
    system.status = 200
    WebhookMessage.objects.filter(tries=1).update(next_at=timezone.now() - timedelta(seconds=1))
    webhooks.send_what_is_due()
    jobs.run_waiting("webhook")
    webhook.refresh_from_db()
    # What was given up for now, and what was to be sent just when it was turned off.
    assert webhook.is_on and set(webhook.messages.values_list("state", flat=True)) == {"arrived"}


def test_a_message_whose_job_has_failed_for_good_says_so_and_is_sent_again(
    hooked, system, monkeypatch, client_for, admin_user
):
    webhook, _secret = hooked
    webhooks.tell(webhook.clinic, "analysis.done", analysis=1)
    with monkeypatch.context() as patched:
        patched.setattr(webhooks, "secret_of", lambda webhook: 1 / 0)
        jobs.run_waiting("webhook")
    message = webhook.messages.get()
    assert (message.state, message.problem, system.came) == ("given_up", "failed", [])
    # So it was written before: as one that waits.
    WebhookMessage.objects.update(state="waiting", problem="", ended_at=None)
    webhooks.send_what_is_due()
    client, page = client_for(admin_user), url("webhook", webhook.pk)
    said = client.get(page).content.decode()
    assert "Given up" in said and "Something went wrong here" in said and "Send again" in said
    act = url("webhook-act", webhook.pk)
    for number in ("", "x", message.pk + 1):
        assert client.post(act, {"act": "again", "message": number}).status_code == 404
    client.post(act, {"act": "again", "message": message.pk})
    assert jobs.run_waiting("webhook") == 1
    assert [json.loads(body)["id"] for _headers, body in system.came] == [message.body["id"]]
    client.post(act, {"act": "again", "message": message.pk})
    assert jobs.run_waiting("webhook") == 0, "what has arrived is not sent again"
    assert AuditEvent.objects.get(action="webhook.again").facts == {"message": message.pk}


def test_a_failed_job_that_is_tried_again_in_the_queue_sends_its_message(hooked, system, monkeypatch):
    webhook, _secret = hooked
    webhooks.tell(webhook.clinic, "analysis.done", analysis=1)
    with monkeypatch.context() as patched:
        patched.setattr(webhooks, "secret_of", lambda webhook: 1 / 0)
        jobs.run_waiting("webhook")
    jobs.retry(Job.objects.get(kind="webhook"))
    system.status = 500
    jobs.run_waiting("webhook")
    assert webhook.messages.get().state == "waiting" and len(system.came) == 1


@each(
    "address, networks, refused",
    [("https://10.0.0.1/x", [], True), ("https://10.0.0.1/x", [*HERE, ip_network("10.0.0.0/8")], False),
     ("https://127.1/", [], True), ("https://[::1]/", [], True), ("https://localhost:8443/", [], True),
     ("https://a.localhost./", [], True), ("http://told.example/", [], True), ("http://told.example/", HERE, False),
     ("http://93.184.216.34/", HERE, True), ("https://93.184.216.34/", [], False),
     ("https://told.example/", [], False)],
)  # fmt: skip
def test_where_nothing_can_ever_be_sent_is_known_without_asking_for_a_name(
    address, networks, refused, monkeypatch
):
    ask = socket.getaddrinfo
    numbers = lambda *a, flags=0, **k: ask(*a, flags=flags | socket.AI_NUMERICHOST, **k)  # noqa: E731
    monkeypatch.setattr(socket, "getaddrinfo", numbers)
    if refused:
        with pytest.raises(outgoing.NotSent, match="not_allowed"):
            outgoing.require_possible(address, networks)
    else:
        outgoing.require_possible(address, networks)


def test_an_address_that_can_never_be_sent_to_is_refused_when_it_is_given(client_for, admin_user, clinic):
    sent, client = {"url": "https://10.0.0.1/x", "events": ["study.closed"]}, client_for(admin_user)
    page = client.post(url("webhooks"), sent)
    assert page.status_code == 422 and "WEBHOOK_NETWORKS" in page.content.decode()
    program = Client(headers={"Authorization": f"Token {factories.make_token(admin_user)}"})
    told = program.post("/api/v1/webhooks/", sent, content_type="application/json")
    assert told.status_code == 400 and "WEBHOOK_NETWORKS" in str(told.json())
    system = {
        "name": "HIS",
        "issuer": "http://his.example/fhir",
        "client_id": "skin",
        "identifier_system": "",
    }
    page = client.post(url("record-systems"), system)
    assert page.status_code == 422 and "WEBHOOK_NETWORKS" in page.content.decode()


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "[::1]", "10.0.0.1", "169.254.169.254", "[::ffff:10.0.0.1]", "0.0.0.0", "224.0.0.1",
     "[64:ff9b::a00:1]", "[2002:a00:1::]", "100.64.0.1", "[fe80::1]"],
)  # fmt: skip
def test_no_private_address_is_asked(address, monkeypatch):
    def never(*args, **kwargs):
        raise AssertionError("connected")

    monkeypatch.setattr(socket, "create_connection", never)
    with pytest.raises(outgoing.NotSent) as refused:
        outgoing.post(f"https://{address}/", b"", {})
    assert refused.value.code == "not_allowed"


def test_a_name_means_the_address_that_was_looked_at(monkeypatch):
    answers = iter([["93.184.216.34"], ["93.184.216.34", "10.0.0.1"]])
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda *a, **k: [(0, 0, 0, "", (one, 443)) for one in next(answers)]
    )
    asked = []

    def connect(where, timeout):
        asked.append(where)
        raise OSError

    monkeypatch.setattr(socket, "create_connection", connect)
    codes = []
    for _name in range(2):
        with pytest.raises(outgoing.NotSent) as refused:
            outgoing.post("https://told.example/", b"", {})
        codes.append(refused.value.code)
    assert codes == ["no_answer", "not_allowed"] and asked == [("93.184.216.34", 443)]


@pytest.mark.parametrize(
    "address",
    ["ftp://x.example/", "https://", "https://a:b@x.example/", "https://x.example:99999/", "https://x example/",
     "https://x.example/\r\nX: y", "file:///etc/passwd"],
)  # fmt: skip
def test_what_is_no_address_is_refused(address):
    with pytest.raises(outgoing.NotSent) as refused:
        outgoing.post(address, b"", {}, HERE)
    assert refused.value.code == "bad_address"


def test_an_answer_that_is_too_long_is_none(system, monkeypatch):
    system.status, system.says = 200, b"12345"
    assert outgoing.fetch(system.address, {}, b"", HERE) == (200, b"12345")
    monkeypatch.setattr(outgoing, "MOST_OF_A_ROW", 4)
    with pytest.raises(outgoing.NotSent) as refused:
        outgoing.fetch(system.address, {}, b"", HERE)
    assert refused.value.code == "no_answer"


def test_http_goes_into_allowed_networks_alone(monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: [(0, 0, 0, "", ("93.184.216.34", 80))])
    with pytest.raises(outgoing.NotSent) as refused:
        outgoing.post("http://told.example/", b"", {}, HERE)
    assert refused.value.code == "not_allowed"


def test_an_admin_makes_tests_and_removes_one_and_sees_the_secret_once(
    client_for, admin_user, curator, clinic, system
):
    client = client_for(admin_user)
    wrong = client.post(url("webhooks"), {"url": "https://a:b@x.example/", "events": ["study.closed"]})
    assert wrong.status_code == 422 and not Webhook.objects.exists()
    assert client.post(url("webhooks"), {"url": system.address, "events": ["all"]}).status_code == 422
    made = client.post(url("webhooks"), {"url": system.address, "events": ["study.closed"]})
    secret, webhook = made.context["secret"], Webhook.objects.get()
    assert secret in made.content.decode() and made["Cache-Control"] == "no-store"
    page = url("webhook", webhook.pk)
    assert secret not in client.get(page).content.decode() + client.get(url("webhooks")).content.decode()
    client.post(url("webhook-act", webhook.pk), {"act": "off"})
    client.post(url("webhook-act", webhook.pk), {"act": "test"})
    jobs.run_waiting("webhook")
    assert json.loads(system.came[0][1])["event"] == "test"
    assert "answer 204" in client.get(page).content.decode()
    assert client_for(curator).get(page).status_code == 403
    client.cookies["django_language"] = "ko"
    assert "시험 보내기" in client.get(page).content.decode()
    client.post(url("webhook-act", webhook.pk), {"act": "remove"})
    assert not Webhook.objects.exists()
    actions = AuditEvent.objects.filter(action__startswith="webhook.").order_by("id")
    assert [row.action for row in actions] == [
        "webhook.make", "webhook.off", "webhook.test", "webhook.remove",
    ]  # fmt: skip


def test_a_program_with_an_admins_token_makes_turns_tests_and_removes_one(
    admin_user, clinician, outsider, clinic, system
):
    def program(user, **token) -> Client:
        return Client(headers={"Authorization": f"Token {factories.make_token(user, **token)}"})

    client, address = program(admin_user), "/api/v1/webhooks/"
    sent = {"url": system.address, "events": ["study.closed", "analysis.done", "study.closed"]}

    def ask(method: str, path: str = "", body: dict | None = None, by: Client = client):
        return getattr(by, method)(f"{address}{path}", body or {}, content_type="application/json")

    for wrong in (
        {}, {"url": "https://a:b@x.example/"}, {"url": "x"}, {"events": []}, {"events": ["all"]}, {"is_on": False},
        {"events": "study.closed"}, {"secret": "mine"},
    ):  # fmt: skip
        assert ask("post", body={**sent, **wrong} if wrong else {}).status_code == 400, wrong
    for nobody in (program(clinician), program(admin_user, scope="read")):
        assert ask("post", body=sent, by=nobody).status_code == 403
    assert not Webhook.objects.exists()
    made = ask("post", body=sent)
    told, webhook = made.json(), Webhook.objects.get()
    assert made.status_code == 201 and made["Cache-Control"] == "no-store"
    assert told["secret"] == webhooks.secret_of(webhook) and told["is_on"] is True
    assert told["events"] == ["study.closed", "analysis.done"] and told["clinic"] == clinic.slug
    assert "secret" not in ask("get", f"{webhook.pk}/").json()
    assert [one["id"] for one in client.get(address).json()["results"]] == [webhook.pk]
    assert ask("patch", f"{webhook.pk}/", {"url": "https://elsewhere.example/"}).status_code == 400
    assert ask("patch", f"{webhook.pk}/", {"is_on": False}).json()["is_on"] is False
    assert ask("post", f"{webhook.pk}/test/", {}).json()["state"] == "waiting"
    jobs.run_waiting("webhook")
    (message,) = client.get(f"{address}{webhook.pk}/messages/").json()
    assert (message["event"], message["state"], message["answered"]) == ("test", "arrived", 204)
    again = f"{webhook.pk}/again/"
    for wrong in ({}, {"message": "x"}, {"message": 2**63}, {"message": message["id"], "more": 1}):
        assert ask("post", again, wrong).status_code == 400, wrong
    assert ask("post", again, {"message": message["id"] + 1}).status_code == 404
    assert ask("post", again, {"message": message["id"]}).json()["error"]["code"] == "not_given_up"
    webhook.messages.update(state="given_up", problem="refused")
    assert ask("post", again, {"message": message["id"]}).json()["state"] == "waiting"
    assert jobs.run_waiting("webhook") == 1 and len(system.came) == 2
    for stranger, status in ((program(clinician), 403), (program(outsider), 404)):
        assert ask("get", f"{webhook.pk}/", by=stranger).status_code == status
        assert ask("delete", f"{webhook.pk}/", by=stranger).status_code == status
        assert stranger.get(address).json()["results"] == []
    assert ask("delete", f"{webhook.pk}/").status_code == 204 and not Webhook.objects.exists()
    actions = AuditEvent.objects.filter(action__startswith="webhook.").order_by("id")
    assert [(row.action, row.via) for row in actions] == [
        (f"webhook.{what}", "token") for what in ("make", "off", "test", "again", "remove")
    ]


def test_another_key_of_the_server_signs_with_the_same_secret_while_the_old_one_is_named(hooked, settings):
    webhook, secret = hooked
    old, settings.SECRET_KEY = settings.SECRET_KEY, "n" * 60
    assert webhooks.secret_of(webhook) is None
    settings.SECRET_KEY_FALLBACKS = [old]
    assert webhooks.secret_of(webhook) == secret
