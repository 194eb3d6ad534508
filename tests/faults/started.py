"""The demo, or `dev`, as its user starts it: in a process of its own, with a home and a port."""

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

from django.conf import settings


class Started:
    def __init__(self, home: Path, port: int, command: str = "demo", code: Path = settings.BASE_DIR):
        self.address = f"http://127.0.0.1:{port}"
        self.log = home / f"{command}-{port}.log"
        self.home = home / "demo"
        environment = {k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "CELERY_BROKER_URL")}
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", command],
                env=environment | {"SKINCLINIC_HOME": str(self.home), "PORT": str(port)},
                cwd=code,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def answers(self) -> bool:
        with contextlib.suppress(OSError):
            return bool(self.page("/healthz"))
        return False

    def serves(self) -> bool:
        """The same, where it must not have ended."""
        assert self.process.poll() is None, self.says()
        return self.answers()

    def page(self, path: str) -> str:
        with urllib.request.urlopen(self.address + path, timeout=60) as answer:
            return answer.read().decode()

    def queues(self) -> int:
        """How many queues have a worker that has said that it is ready."""
        with contextlib.closing(sqlite3.connect(self.home / "skinclinic.sqlite3")) as database:
            names = database.execute("SELECT name FROM skinclinic_workerseen").fetchall()
        return len({name.partition("@")[0] for (name,) in names})

    def says(self) -> str:
        return self.log.read_text()

    def stop(self) -> int:
        self.process.send_signal(signal.SIGINT)
        # Its processes have ten seconds, and are ended by force after that.
        return self.process.wait(120)
