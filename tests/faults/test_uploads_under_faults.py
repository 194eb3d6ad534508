"""Uploads while worker, web, broker and clocks break, again and again: nothing is lost, and nothing is twice. On the
embedded default (SQLite, messages in a folder), and on PostgreSQL and Redis.

By default a few photos, and everything breaks at the same moment, as when the power fails.
SKINCLINIC_FAULT_UPLOADS=500 breaks each by itself, too, and prints what came of it (``-s``).
"""

import contextlib
import io
import json
import os
import shutil
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.core.management import call_command
from django.db import connection

from skinclinic.files import notes
from skinclinic.models import Job
from tests import clocks, factories, servers
from tests.engine import Engine, wait_until
from tests.faults.uploading import Uploads, names_of_all_held
from tests.folders import stored_files
from tests.reading_crowd import start_web

COUNT = int(os.environ.get("SKINCLINIC_FAULT_UPLOADS", "16"))
IS_LARGE = COUNT >= 100
WORKER, WEB, BROKER, CLOCK = "worker", "web", "broker", "clock"
FAULTS = [{WORKER, WEB, BROKER, CLOCK}, *([{WORKER}, {WEB}, {BROKER}, {CLOCK}] if IS_LARGE else [])]
# How often each breaks.
TIMES = 10 if IS_LARGE else 1
LEASE = 3
WRONG = 2 * 3600
# A file of an upload that goes on all the time, whatever time it is where somebody sweeps.
IN_FLIGHT = "aa/in-flight.jpg"

pytestmark = [pytest.mark.servers, pytest.mark.faketime, pytest.mark.timeout(1500)]


class Redis:
    """Stopped without a word, and begun again, empty."""

    def __init__(self) -> None:
        self.port = servers.free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.options = {"socket_connect_timeout": 1, "visibility_timeout": 3600}
        self._running = contextlib.ExitStack()
        self.start()

    def start(self) -> None:
        self._process = self._running.enter_context(servers.redis_process(self.port))

    def stop(self) -> None:
        self._process.kill()
        self._running.close()


class Folder:
    """The broker of one machine: its folder is gone with all messages, and nothing can be written in its place."""

    url = "embedded://localhost"

    def __init__(self, home: Path) -> None:
        self.folder = home / "broker"
        self.options = {"folder": str(self.folder), "polling_interval": 0.05}

    def start(self) -> None:
        self.folder.unlink()
        self.folder.mkdir(exist_ok=True)

    def stop(self) -> None:
        # Whoever sends at that moment makes it anew.
        while not self.folder.is_file():
            shutil.rmtree(self.folder, ignore_errors=True)
            with contextlib.suppress(OSError):
                self.folder.open("x").close()


class Clocks:
    """``of_web``, ``of_worker``, ``of_reconciler``: what each goes by, in the environment of its process.

    With PostgreSQL, whose clock is its own, those of workers and of one reconciler are hours off, each time in the
    other direction. SQLite has the clock of whoever asks, and all of them are on one machine: there it jumps.
    """

    def __init__(self, home: Path, is_wrong: bool) -> None:
        self.is_wrong, self.has_own = is_wrong, connection.vendor != "sqlite"
        self._clock = clocks.Clock(home, WRONG if is_wrong and self.has_own else 0)

    @property
    def of_worker(self) -> dict[str, str]:
        return self._clock.environment if self.is_wrong else {}

    of_reconciler = of_worker

    @property
    def of_web(self) -> dict[str, str]:
        return self._clock.environment if self.is_wrong and not self.has_own else {}

    def jump(self, number: int) -> None:
        """For the ``number``th time, from 1."""
        self._clock.set((-WRONG if number % 2 else WRONG) if self.has_own else (WRONG if number % 2 else 0))


@pytest.fixture
def broker(home) -> Iterator[Redis | Folder]:
    made = Folder(home) if connection.vendor == "sqlite" else Redis()
    yield made
    made.stop()


class Site:
    """Web, worker, two reconcilers (as where somebody starts a second one by mistake) and their broker."""

    def __init__(self, faults: set[str], engine: Engine, broker: Redis | Folder, home: Path) -> None:
        self.faults, self.engine, self.broker, self.home = faults, engine, broker, home
        self.port, self.clocks, self.breaks = servers.free_port(), Clocks(home, CLOCK in faults), 0
        self.begin_web()
        self.begin_engine()

    def begin_web(self) -> None:
        self.web = start_web(self.port, self.home, CELERY_BROKER_URL=self.broker.url, **self.clocks.of_web)

    def kill_web(self) -> None:
        os.killpg(self.web.pid, signal.SIGKILL)
        self.web.wait()

    def begin_engine(self) -> None:
        # One of them keeps the database's time.
        right = {} if self.clocks.has_own else self.clocks.of_reconciler
        self.reconcilers = [
            self.engine.start_reconciler(0.5, **of_one) for of_one in (right, self.clocks.of_reconciler)
        ]
        self.begin_worker()

    def begin_worker(self) -> None:
        self.worker = self.engine.start_worker(**self.clocks.of_worker)

    def break_(self, number: int, uploads: Uploads) -> None:
        """Break what is to break, all at the same moment, for the ``number``th time; the web is there first again."""
        is_all = {WORKER, WEB} <= self.faults
        if WORKER in self.faults:
            wait_until(lambda: _running() or _done() == COUNT, 120, "the worker has a job in hand")
            self.worker.kill()
        if WEB in self.faults:
            self.kill_web()
        if BROKER in self.faults:
            self.broker.stop()
        for process in self.reconcilers if is_all else []:
            process.kill()
            process.wait()
        if CLOCK in self.faults:
            self.clocks.jump(number)
        self.breaks += len(self.faults)
        if WEB in self.faults:
            self.begin_web()
        if BROKER in self.faults:
            at_least = min(COUNT, len(uploads.accepted) + COUNT / (2 * TIMES + 2))
            wait_until(lambda: len(uploads.accepted) >= at_least, 300, "photos come in without a broker")
            self.broker.start()
        if WORKER in self.faults:
            self.worker.wait()
            self.begin_engine() if is_all else self.begin_worker()


@pytest.mark.parametrize("faults", FAULTS, ids=lambda faults: "+".join(sorted(faults)))
def test_nothing_is_lost_and_nothing_twice(
    faults, engine, use_broker, broker, home, clinic, clinician, model_version
):
    use_broker(broker.url, broker.options)
    engine.environment |= {"CELERY_BROKER_URL": broker.url, "JOB_LEASE_SECONDS": str(LEASE)}
    with contextlib.ExitStack() as stack, notes.noted(IN_FLIGHT):
        in_flight = django_settings.PHOTOS_DIR / IN_FLIGHT
        in_flight.parent.mkdir(parents=True)
        in_flight.write_bytes(factories.jpeg_bytes(COUNT))
        site = Site(faults, engine, broker, home)
        stack.callback(site.kill_web)
        uploads = Uploads(site.port, factories.make_token(clinician), COUNT)
        stack.callback(uploads.over.set)
        began = time.monotonic()
        uploads.begin()
        for number in range(1, TIMES + 1):
            share = COUNT * number / (TIMES + 1)
            wait_until(lambda share=share: len(uploads.accepted) >= share, 300, "photos are accepted")
            site.break_(number, uploads)
        uploads.join(600)
        sent = time.monotonic() - began
        wait_until(lambda: _done() == COUNT, 600, "every photo is analysed")
        settled = time.monotonic() - began - sent
        assert in_flight.exists(), "a file was swept while its upload went on"
        in_flight.unlink()
        if CLOCK in faults and site.clocks.has_own:
            wait_until(_wrong_clocks, 20, "the doctor names the worker's machine")
    print(
        f"\n{connection.vendor}, {'+'.join(sorted(faults))}: {COUNT} uploads, {site.breaks} breaks in {sent:.0f} s; "
        f"told {dict(uploads.told)}, slowest accepted {uploads.slowest:.1f} s; settled {settled:.0f} s after; "
        f"attempts {dict(_attempts())}"
    )
    _holds(uploads)


def _holds(uploads: Uploads) -> None:
    """What was accepted is there, once, whole and analysed once; and the doctor finds no more than files of uploads
    that were cut off, which are noted."""
    named = names_of_all_held(uploads, {0, 200, 201, 503, 507})
    left = (django_settings.PHOTOS_DIR / "notes").glob("*.json")
    noted = {key for note in left if note.stat().st_size for key in json.loads(note.read_text())}
    assert {key for key in stored_files() if key.endswith(".jpg")} <= named | noted
    assert [one for one in _doctor("--deep") if one["part"] == "files" and one["level"] != "ok"] == []


def _wrong_clocks() -> list[str]:
    return [one["said"] for one in _doctor() if one["part"] == "clock" and "of the worker" in one["said"]]


def _doctor(*words: str) -> list[dict]:
    said = io.StringIO()
    with contextlib.suppress(SystemExit):
        call_command("doctor", *words, "--json", stdout=said)
    return json.loads(said.getvalue())


def _running() -> bool:
    return Job.objects.filter(kind="analyse", state=Job.State.RUNNING).exists()


def _done() -> int:
    return Job.objects.filter(kind="analyse", state=Job.State.DONE).count()


def _attempts() -> Counter[int]:
    return Counter(Job.objects.filter(kind="analyse").values_list("attempts", flat=True))
