"""Uploads while the worker, the web and the broker break and clocks jump: nothing is lost, and nothing is twice.

By default a few photos and all faults at once. SKINCLINIC_FAULT_UPLOADS=500 takes each fault by itself, too, and prints
what came of it (``-s``); ``measure_faults.py`` tells what came of each photo, under more faults.
"""

import contextlib
import json
import os
import signal
import subprocess
import time

import pytest
from django.conf import settings as django_settings
from django.db import connection

from skinclinic.models import Job
from tests import clocks, factories, servers
from tests.engine import wait_until
from tests.faults.uploading import Uploads, names_of_all_held
from tests.folders import stored_files
from tests.reading_crowd import start_web

COUNT = int(os.environ.get("SKINCLINIC_FAULT_UPLOADS", "16"))
IS_LARGE = COUNT >= 100
WORKER, WEB, BROKER = "worker", "web", "broker"
FAULTS = [{WORKER, WEB, BROKER}, *([{WORKER}, {WEB}, {BROKER}] if IS_LARGE else [])]
# How often each breaks.
TIMES = 10 if IS_LARGE else 1
LEASE = 3
HOURS = 2 * 3600

pytestmark = [pytest.mark.servers, pytest.mark.faketime, pytest.mark.timeout(1500)]


@pytest.mark.parametrize("faults", FAULTS, ids=lambda faults: "+".join(sorted(faults)))
def test_nothing_is_lost_and_nothing_twice(
    faults, engine, use_broker, home, clinic, clinician, model_version
):
    port, web_port = servers.free_port(), servers.free_port()
    url = f"redis://127.0.0.1:{port}/0"
    use_broker(url, {"socket_connect_timeout": 1, "visibility_timeout": 3600})
    engine.environment |= {"CELERY_BROKER_URL": url, "JOB_LEASE_SECONDS": str(LEASE)}
    uploads = Uploads(web_port, factories.make_token(clinician), COUNT)
    began, broken = time.monotonic(), 0
    # PostgreSQL has a clock of its own; SQLite has that of whoever asks, and all of them are on one machine.
    clock = clocks.Clock(home, HOURS if connection.vendor != "sqlite" else 0)
    of_web = clock.environment if connection.vendor == "sqlite" else {}

    def web() -> subprocess.Popen:
        return start_web(web_port, home, CELERY_BROKER_URL=url, **of_web)

    with contextlib.ExitStack() as stack:
        redis = stack.enter_context(servers.redis_process(port))
        serving = web()
        stack.callback(lambda: os.killpg(serving.pid, signal.SIGKILL))
        stack.callback(uploads.over.set)
        # Two reconcilers, as where somebody starts a second one by mistake.
        for of_one in (of_web, clock.environment):
            engine.start_reconciler(0.5, **of_one)
        worker = engine.start_worker(**clock.environment)
        uploads.begin()
        for number in range(1, TIMES + 1):
            share = COUNT * number / (TIMES + 1)
            wait_until(lambda share=share: len(uploads.accepted) >= share, 300, "photos are accepted")
            clock.set(-HOURS if number % 2 else HOURS)
            if WEB in faults:
                os.killpg(serving.pid, signal.SIGKILL)
                serving.wait()
            if BROKER in faults:
                redis.kill()
                redis.wait()
            if WEB in faults:
                serving = web()
            if BROKER in faults:
                at_least = min(COUNT, len(uploads.accepted) + COUNT / (2 * TIMES + 2))
                wait_until(lambda n=at_least: len(uploads.accepted) >= n, 300, "photos come in without Redis")
                redis = stack.enter_context(servers.redis_process(port))
            if WORKER in faults:
                wait_until(lambda: _running() or _done() == COUNT, 240, "the worker has a job in hand")
                worker.kill()
                worker.wait()
                worker = engine.start_worker(**clock.environment)
            broken += len(faults)
        uploads.join(600)
        sent = time.monotonic() - began
        wait_until(lambda: _done() == COUNT, 600, "every photo is analysed")
        settled = time.monotonic() - began - sent
    clocks.tidy()
    print(
        f"\n{'+'.join(sorted(faults))}: {COUNT} uploads, {broken} breaks in {sent:.0f} s; told {dict(uploads.told)}, "
        f"slowest accepted {uploads.slowest:.1f} s; settled {settled:.0f} s after; "
        f"attempts {dict(_attempts())}"
    )
    _holds(uploads)


def _holds(uploads: Uploads) -> None:
    """What was accepted is there, once, whole and analysed once."""
    named = names_of_all_held(uploads, {0, 200, 201, 503, 507})
    notes = (django_settings.PHOTOS_DIR / "notes").glob("*.json")
    noted = {key for note in notes if note.stat().st_size for key in json.loads(note.read_text())}
    assert {key for key in stored_files() if key.endswith(".jpg")} <= named | noted


def _running() -> bool:
    return Job.objects.filter(kind="analyse", state=Job.State.RUNNING).exists()


def _done() -> int:
    return Job.objects.filter(kind="analyse", state=Job.State.DONE).count()


def _attempts() -> dict[int, int]:
    found: dict[int, int] = {}
    for attempts in Job.objects.filter(kind="analyse").values_list("attempts", flat=True):
        found[attempts] = found.get(attempts, 0) + 1
    return found
