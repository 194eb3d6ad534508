"""The demo as its user starts it: seeds, serves, restarts what dies, stops on Ctrl-C, reuses everything."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import urllib.request

import pytest
from django.conf import settings

from tests import servers
from tests.engine import wait_until

pytestmark = pytest.mark.timeout(290)


class Demo:
    def __init__(self, home, port: int):
        self.address = f"http://127.0.0.1:{port}"
        self.log = home / f"demo-{port}.log"
        environment = {k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "CELERY_BROKER_URL")}
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "demo"],
                env=environment | {"SKINCLINIC_HOME": str(home / "demo"), "PORT": str(port)},
                cwd=settings.BASE_DIR,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def answers(self) -> bool:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{self.address}/healthz", timeout=2):
            return True
        return False

    def says(self) -> str:
        return self.log.read_text()

    def stop(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(30)


def test_first_and_second_start(home):
    first = Demo(home, servers.free_port())
    try:
        wait_until(first.answers, 150, "the demo serves")
        names = re.findall(r"^sign in: (\w+) \S{10,}$", first.says(), re.M)
        assert sorted(names) == ["admin", "clinician", "coordinator", "curator"]
    finally:
        status = first.stop()
    assert status == 0
    assert not first.answers()

    second = Demo(home, servers.free_port())
    try:
        wait_until(second.answers, 90, "the demo serves again")
        assert "sign in:" not in second.says()
    finally:
        assert second.stop() == 0
    written = {path.name for path in (home / "demo").iterdir()}
    assert {"skinclinic.sqlite3", "photos", "cache", "broker"} <= written


def test_a_taken_port_is_said(home):
    port = servers.free_port()
    with servers.socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        demo = Demo(home, port)
        assert demo.process.wait(60) == 1
    assert "Choose another: PORT=" in demo.says()
