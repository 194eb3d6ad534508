"""Readers as threads of this process before a real gunicorn."""

import http.client
import json
import os
import random
import subprocess
import sys
import time
import uuid
from dataclasses import dataclass, field
from urllib.parse import urlencode

from django.conf import settings as django_settings

from tests import servers
from tests.engine import database_url

CHOICES = ["bcc", "mm", "sk", "nevus", "wart"]


def start_web(
    port: int, home, *, address: str = "127.0.0.1", inside: tuple[str, ...] = (), **environment: str
) -> subprocess.Popen:
    """gunicorn as in production (workers with threads), a process group of its own; it listens when this returns.
    ``address``, ``inside``: of a host of ``tests/hosts.py``."""
    process = subprocess.Popen(
        [
            *inside, sys.executable, "-m", "gunicorn", "skinclinic.wsgi", "--bind", f"{address}:{port}",
            "--worker-class", "gthread", "--workers", "2", "--threads", "8", "--no-control-socket",
            "--log-level", "error",
        ],
        env=os.environ | {
            "SKINCLINIC_HOME": str(home),
            "SKINCLINIC_EMBEDDED": "1",
            "DATABASE_URL": database_url(),
            "SECRET_KEY": django_settings.SECRET_KEY,
            "LOG_LEVEL": "ERROR",
        } | environment,
        cwd=django_settings.BASE_DIR,
        start_new_session=True,
    )  # fmt: skip
    servers.wait_for(port, 60, address)
    return process


@dataclass
class Reading:
    """A reader with a good memory: every answer is sent until it is acknowledged, as the page's queue does."""

    port: int
    secret: str
    photos: int
    # Mean seconds that the reader looks at a photo.
    pause: float = 0.0
    said: dict[int, str] = field(default_factory=dict)
    # Seconds of each answer and of each photo that came at the first try.
    answering: list[float] = field(default_factory=list)
    fetching: list[float] = field(default_factory=list)
    tries: int = 0
    connection: http.client.HTTPConnection | None = None

    def read(self) -> None:
        self.until_done("POST", "unaided/begin", urlencode({"confirmed": "1"}), expect=302)
        self.until_done("GET", "unaided/")
        for position in range(1, self.photos + 1):
            self.until_done("GET", f"unaided/photo/{position}", times=self.fetching)
            time.sleep(random.uniform(0, 2 * self.pause))
            choice = random.choice(CHOICES)
            body = json.dumps({"key": str(uuid.uuid4()), "known": 0, "choice": choice, "seconds": 1.5})
            data = self.until_done("POST", f"unaided/photo/{position}/answer", body, times=self.answering)
            assert json.loads(data)["in_force"]
            self.said[position] = choice
            self.between()
        self.until_done("POST", "unaided/finish")

    def between(self) -> None:
        """What else is done after each answer."""

    def until_done(
        self, method: str, path: str, body: str = "", *, times: list | None = None, expect: int = 200
    ):
        """Ask until the server answers as expected; return the body."""
        is_answer = path.endswith("/answer")
        kind = "application/json" if is_answer else "application/x-www-form-urlencoded"
        while True:
            self.tries += is_answer
            started = time.perf_counter()
            try:
                status, data = self.ask(method, f"/reading/{self.secret}/{path}", body, kind)
            except (OSError, http.client.HTTPException):
                self.connection = None
                time.sleep(random.uniform(0.05, 0.3))
                continue
            if status >= 500:
                time.sleep(random.uniform(0.05, 0.3))
                continue
            assert status == expect, (status, path, data[:300])
            if times is not None:
                times.append(time.perf_counter() - started)
            return data

    def ask(self, method: str, path: str, body: str, kind: str) -> tuple[int, bytes]:
        self.connection = self.connection or http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        self.connection.request(method, path, body or None, {"Content-Type": kind})
        response = self.connection.getresponse()
        return response.status, response.read()
