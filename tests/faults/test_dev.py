"""`make dev` on a copy of the code: what is changed there shows, in the web and in the worker, without a restart."""

import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings

from skinclinic.engine import jobs
from tests import servers
from tests.engine import wait_until
from tests.faults.started import Started

pytestmark = [pytest.mark.engine]

PARTS = ("skinclinic", "classifier", "reader_study", "templates", "static", "locale")
# A clinic without patients, so that nothing is drawn and analysed here: tests of the demo see to that.
EMPTY_DEMO = """
from classifier.demo.photos import SLUG
from skinclinic.models import Clinic
Clinic.objects.create(name="Demo clinic", slug=SLUG)
"""
NEW_CODE = """
import sys
from django.conf import settings
print("new code runs in", sys.argv, settings.EMAIL_BACKEND, flush=True)
"""


@pytest.fixture
def code(home) -> Path:
    copy = home / "code"
    for part in PARTS:
        shutil.copytree(settings.BASE_DIR / part, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(settings.BASE_DIR / "manage.py", copy)
    return copy


def test_a_change_shows_in_the_web_and_in_the_worker(home, code, migrated):
    environment = {k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "CELERY_BROKER_URL")}
    migrated(home / "demo")
    subprocess.run(
        [sys.executable, "manage.py", "shell", "-v0", "-c", EMPTY_DEMO],
        env=environment | {"SKINCLINIC_HOME": str(home / "demo")},
        cwd=code,
        check=True,
    )
    dev = Started(home, servers.free_port(), "dev", code)
    try:
        wait_until(dev.serves, 240, "the web serves")
        wait_until(lambda: dev.queues() == len(jobs.queues()), 240, "the worker is ready for every queue")
        assert "the demo clinic is there already" in dev.says()

        _append(code / "static/css/base.css", "/* A new rule. */")
        assert "A new rule." in dev.page("/static/css/base.css")
        login = code / "templates/registration/login.html"
        login.write_text(login.read_text().replace("{% endblock", "A new sentence.{% endblock"))
        assert "A new sentence." in dev.page("/login/")

        _append(code / "skinclinic/engine/jobs.py", NEW_CODE)
        for process in ("runserver", "celery", "reconcile"):
            wait_until(_changed_again_until(dev, process, code), 240, f"{process} runs new code")
        wait_until(dev.answers, 240, "the web serves again")
        assert "backends.console" in _running_new_code(dev)
        assert "Warning" not in dev.says()
    finally:
        status = dev.stop()
    assert status == 0
    wait_until(lambda: not _processes_in(code), 240, "every process has ended")


def _changed_again_until(dev: Started, process: str, code: Path) -> Callable[[], bool]:
    """Whether the process runs the new code. Django's reloader answers before it has first looked at its files, and
    never learns of what changed before: the file is saved again now and then, as one would who sees nothing happen."""
    saved = time.monotonic()

    def runs() -> bool:
        nonlocal saved
        if time.monotonic() - saved > 20:
            (code / "skinclinic/engine/jobs.py").touch()
            saved = time.monotonic()
        return process in _running_new_code(dev)

    return runs


def _append(path: Path, text: str) -> None:
    with path.open("a") as file:
        file.write(f"\n{text}\n")


def _running_new_code(dev: Started) -> str:
    return "\n".join(line for line in dev.says().splitlines() if line.startswith("new code runs in"))


def _processes_in(folder: Path) -> list[str]:
    """The processes that work in this folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (process / "cwd").readlink() == folder:
                found.append(process.name)
    return found
