"""A reader whose phone sends an answer slowly keeps nobody else from writing."""

import json
import os
import signal
import socket
import time
import uuid

import pytest

from reader_study.models import Answer
from tests import servers
from tests.reading_crowd import Reading, start_web
from tests.studies import make_study

pytestmark = [pytest.mark.django_db(transaction=True)]


def begun(port: int, secret: str) -> Reading:
    reading = Reading(port, secret, 2)
    reading.until_done("POST", "unaided/begin", "confirmed=1", expect=302)
    reading.until_done("GET", "unaided/")
    return reading


def given() -> str:
    return json.dumps({"key": str(uuid.uuid4()), "known": 0, "choice": "bcc"})


def test_half_an_answer_holds_no_lock(home, clinic, coordinator):
    made = make_study(clinic, coordinator, labels=["bcc", "mm"], practice=0, readers=2)
    slow, quick = made.secrets
    port = servers.free_port()
    web = start_web(port, home)
    try:
        begun(port, slow)
        other, body = begun(port, quick), given()
        with socket.create_connection(("127.0.0.1", port), timeout=30) as lift:
            lift.sendall(
                f"POST /reading/{slow}/unaided/photo/1/answer HTTP/1.1\r\nHost: localhost\r\n"
                f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body[:1]}".encode()
            )
            time.sleep(1)
            started = time.monotonic()
            other.until_done("POST", "unaided/photo/1/answer", given())
            # SQLite waits for a lock for 20 s, PostgreSQL for ever.
            assert time.monotonic() - started < 15
            assert Answer.objects.count() == 1
            lift.sendall(body[1:].encode())
            assert lift.recv(100).startswith(b"HTTP/1.1 200")
        assert Answer.objects.count() == 2
    finally:
        os.killpg(web.pid, signal.SIGKILL)
        web.wait()
