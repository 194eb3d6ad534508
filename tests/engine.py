"""Real worker processes on the test's own database and broker, to be killed."""

import os
import subprocess
import sys
import time
from collections.abc import Callable

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.db.models import QuerySet

from skinclinic.engine import jobs
from skinclinic.models import Job


class Engine:
    """Starts workers and reconcilers as processes of their own, sharing this test's database and home."""

    def __init__(self, home, broker_url: str, inside: tuple[str, ...] = ()):
        # Of a host of tests/hosts.py, on which they run.
        self.inside = inside
        self.environment = os.environ | {
            "SKINCLINIC_HOME": str(home),
            "SKINCLINIC_EMBEDDED": "1",
            "DATABASE_URL": database_url(),
            "CELERY_BROKER_URL": broker_url,
            "OMP_NUM_THREADS": "1",
        }
        self.processes: list[subprocess.Popen] = []
        self.log_file = home / "engine.log"
        self.log = self.log_file.open("a")

    def start_worker(self, queues: str = "analysis", **environment: str) -> subprocess.Popen:
        return self._start(
            *("-m", "celery", "-A", "skinclinic", "worker", "--pool", "solo", "-Q", queues),
            *("--without-gossip", "--without-mingle", "--loglevel", "INFO"),
            **environment,
        )

    def start_reconciler(self, every: float = 1.0, **environment: str) -> subprocess.Popen:
        return self._start("manage.py", "reconcile", "--every", str(every), **environment)

    def _start(self, *arguments: str, **environment: str) -> subprocess.Popen:
        process = subprocess.Popen(
            [*self.inside, sys.executable, *arguments],
            env=self.environment | environment,
            cwd=django_settings.BASE_DIR,
            stdout=self.log,
            stderr=self.log,
        )
        self.processes.append(process)
        return process

    def kill_who_has(self, asked: QuerySet[Job]) -> None:
        """Kill the worker that has one of these jobs in hand (SIGKILL), as soon as one has."""

        def kills_it() -> bool:
            names = asked.filter(state=Job.State.RUNNING).values_list("worker", flat=True)
            numbers = {int(name.rpartition(":")[2]) for name in names}
            for process in self.processes:
                if process.pid in numbers and process.poll() is None:
                    process.kill()
                    process.wait()
                    return True
            return False

        wait_until(kills_it, 60, "a worker has one of the jobs in hand and is killed with it")

    def written(self) -> str:
        """The last lines of what all its processes wrote."""
        return "\n".join(self.log_file.read_text(errors="replace").splitlines()[-60:])

    def stop(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()
        self.log.close()


def run_to_the_end(kind: str) -> int:
    """Run jobs of this kind in this process until none waits, as if each pause before another attempt were over."""
    count = 0
    while ran := jobs.run_waiting(kind):
        count += ran
        Job.objects.filter(kind=kind, state=Job.State.QUEUED).update(not_before=None)
    return count


def database_url() -> str:
    """DATABASE_URL of the database this test works on."""
    database = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{database['NAME']}"
    return (
        f"postgres://{database['USER']}:{database['PASSWORD']}@{database['HOST']}:{database['PORT']}"
        f"/{database['NAME']}"
    )


def use_broker(settings, monkeypatch: pytest.MonkeyPatch, url: str, options: dict) -> None:
    """Let this process send its wake-ups to another broker."""
    from kombu import pools

    from skinclinic import celery_app
    from skinclinic.engine import waking

    settings.CELERY_BROKER_URL = url
    # Celery believes the environment rather than its settings.
    monkeypatch.setenv("CELERY_BROKER_URL", url)
    celery_app.conf.broker_url = url
    celery_app.conf.broker_transport_options = options
    # Forget every connection, as a forked process does.
    pools.reset()
    celery_app._after_fork()
    waking.forget()


def wait_until(condition: Callable[[], bool], seconds: float, what: str) -> None:
    """Wait for a condition, looking twenty times a second; fail with ``what`` after ``seconds``."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return
        time.sleep(0.05)
    pytest.fail(f"not within {seconds:.0f} s: {what}")
