"""When sessions end: after half an hour in which nobody did anything, and twelve hours after signing in."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.test import RequestFactory
from django.utils import timezone

from skinclinic.engine import housekeeping
from skinclinic.models import Session
from skinclinic.web import requests, sessions
from tests.skinclinic.pages import url

pytestmark = pytest.mark.django_db
MINUTES_29, MINUTES_31 = timedelta(minutes=29), timedelta(minutes=31)


@pytest.fixture
def clock(monkeypatch):
    """clock(timedelta) moves the server's clock."""
    now = {"moved": timedelta()}
    real = timezone.now
    monkeypatch.setattr(timezone, "now", lambda: real() + now["moved"])

    def move(by: timedelta) -> None:
        now["moved"] += by

    return move


def test_an_unused_session_ends(client_for, clinician, clock):
    client = client_for(clinician)
    for _turn in range(3):
        clock(MINUTES_29)
        assert client.get(url("account")).status_code == 200, "whoever goes on working stays signed in"
    clock(MINUTES_31)
    assert client.get(url("account")).status_code == 302


@pytest.mark.parametrize(
    ("headers", "method", "lives"),
    [
        ({"X-Requested-With": "fetch", "X-Idle": "3000"}, "get", False),
        ({"HX-Request": "true", "X-Idle": "2000"}, "get", False),
        ({"X-Requested-With": "fetch"}, "get", False),
        ({"Sec-Fetch-Mode": "no-cors"}, "get", False),
        ({"X-Requested-With": "fetch", "X-Idle": "²"}, "get", False),
        ({"X-Requested-With": "fetch", "X-Idle": "20"}, "get", True),
        ({"X-Requested-With": "fetch"}, "post", True),
    ],
)
def test_only_people_keep_a_session_alive(client_for, clinician, clock, headers, method, lives):
    client = client_for(clinician)
    for _turn in range(2):
        clock(timedelta(minutes=20))
        getattr(client, method)(url("session"), headers=headers)
    assert (client.get(url("session")).status_code == 204) is lives


def test_twelve_hours_after_signing_in_it_is_over_whatever_was_done(client_for, clinician, clock):
    client = client_for(clinician)
    ends = Session.objects.get().expire_date
    for _turn in range(25):
        clock(MINUTES_29 - timedelta(seconds=30))
        # Changes the session's data.
        client.post(url("switch-clinic"), {"clinic": clinician.memberships.get().clinic.slug})
    assert Session.objects.get().expire_date == ends
    assert client.get(url("account")).status_code == 200
    clock(MINUTES_29)
    assert client.get(url("account")).status_code == 302


def test_ended_sessions_are_swept_by_the_databases_clock(client_for, clinician, curator, clock):
    clock(-2 * MINUTES_29)
    client_for(clinician)
    clock(MINUTES_29)
    client_for(curator)
    # Whatever the time is where the sweep runs.
    clock(10 * MINUTES_31)
    housekeeping.forget_ended_sessions()
    assert [session.user for session in Session.objects.all()] == [curator]


def test_a_session_says_whose_it_is_and_where(client, clinician):
    agent = {"User-Agent": "Mozilla/5.0\x00 (ward PC)" + "x" * 400}
    data = {"username": "clara", "password": "correct horse battery"}
    client.post(url("login"), data, headers=agent, REMOTE_ADDR="192.0.2.7")
    session = Session.objects.get()
    assert (session.user, session.address) == (clinician, "192.0.2.7")
    assert session.device.startswith("Mozilla/5.0 (ward PC)") and len(session.device) == 300


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (0, "198.51.100.1", "192.0.2.7"),
        (1, "198.51.100.1", "198.51.100.1"),
        (1, "10.0.0.1, 198.51.100.1", "198.51.100.1"),
        (2, "10.0.0.1, 198.51.100.1, 10.9.9.9", "198.51.100.1"),
        (1, "", "192.0.2.7"),
        (1, "unknown", ""),
    ],
)
def test_only_our_own_proxies_are_believed(settings, proxies, forwarded, address):
    settings.PROXY_COUNT = proxies
    request = RequestFactory().get("/", headers={"X-Forwarded-For": forwarded}, REMOTE_ADDR="192.0.2.7")
    assert requests.client_address(request) == address


def test_nothing_is_written_for_visitors():
    request = RequestFactory().get("/")
    request.session = {}
    middleware = sessions.SessionUseMiddleware(lambda request: SimpleNamespace(status_code=200))
    assert middleware(request).status_code == 200
