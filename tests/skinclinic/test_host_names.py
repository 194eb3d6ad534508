"""A name server that does not answer holds nobody up for longer than seconds, whatever is looked up by whom."""

import socket
import threading

import boto3
import pytest
import requests
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from skinclinic import host_names
from skinclinic.files import clamd
from skinclinic.web import outgoing
from tests.engine import wait_until


def scan() -> None:
    clamd.found_in(clamd.Address.of("clamd://scanner.example"), [b"x"], seconds=5)


def send() -> None:
    outgoing.post("https://records.example/", b"", {})


def sign_in() -> None:
    requests.get("https://provider.example/.well-known/openid-configuration", timeout=5)


def fetch_photo() -> None:
    once = Config(retries={"total_max_attempts": 1})
    client = boto3.client(
        "s3", endpoint_url="http://bucket.example", region_name="x", config=once,
        aws_access_key_id="a", aws_secret_access_key="b",
    )  # fmt: skip
    client.get_object(Bucket="photos", Key="1.jpg")


@pytest.fixture
def silent(monkeypatch):
    """No name server answers until the test is over; who has asked, and who has waited until then."""
    over, asked, waited = threading.Event(), [], []

    def ask(host, *more):
        asked.append(host)
        over.wait(60)
        waited.append(host)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(host_names, "_own", ask)
    monkeypatch.setattr(host_names, "SECONDS", 0.05)
    yield asked, waited
    over.set()
    for thread in list(host_names._hanging.values()):
        thread.join(60)


def test_whoever_asks_is_told_in_time_and_nobody_asks_while_one_hangs(silent):
    asked, waited = silent
    expected = {
        scan: clamd.NoAnswer, send: outgoing.NotSent, sign_in: requests.ConnectionError,
        fetch_photo: BotoCoreError,
    }  # fmt: skip
    for _again in range(2):
        for ask, error in expected.items():
            with pytest.raises(error):
                ask()
    # The thread in which one asks may begin only after nobody waits for it any more.
    wait_until(lambda: len(asked) >= len(expected), 60, "each name is asked for")
    assert sorted(asked) == ["bucket.example", "provider.example", "records.example", "scanner.example"]
    assert not waited, "somebody waited until the name server had answered"


def test_what_is_known_is_told_as_before(monkeypatch):
    assert socket.getaddrinfo is host_names.look_up
    found = socket.getaddrinfo("localhost", 80, type=socket.SOCK_STREAM)
    assert found == host_names._own("localhost", 80, type=socket.SOCK_STREAM)
    # Numbers are nobody's to look up, and where there is no room for a thread it goes as it always did.
    monkeypatch.setattr(threading.Thread, "start", lambda thread: (_ for _ in ()).throw(RuntimeError))
    assert socket.getaddrinfo("127.0.0.1", 80)[0][4] == ("127.0.0.1", 80)
    assert socket.getaddrinfo("localhost", 80, type=socket.SOCK_STREAM) == found
    monkeypatch.undo()
    with pytest.raises(socket.gaierror):
        socket.getaddrinfo("no name at all", 80)
