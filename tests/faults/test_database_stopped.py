"""The database stopped and started under uploads, and then everything at once, as when the power fails; on a PostgreSQL
of its own with Redis, web, worker and reconciler: who sends is told to come back, and nothing is lost or twice."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psycopg2
import pytest
from django.conf import settings as django_settings

from tests import servers
from tests.engine import wait_until
from tests.faults.uploading import Uploads
from tests.reading_crowd import start_web

COUNT = int(os.environ.get("SKINCLINIC_FAULT_UPLOADS", "8"))
# How often the database alone stops.
TIMES = 5 if COUNT >= 100 else 1

pytestmark = [pytest.mark.servers, pytest.mark.timeout(1500)]
# A clinic with a model and who sends to it, made by the product on that database; prints the token.
BEGIN = """
import django
django.setup()
from django.conf import settings
from classifier.services.models import registry
from tests import factories
clinic = factories.make_clinic("Clinic")
registry.register(factories.make_model_dir(settings.SKINCLINIC_HOME / "made"))
print(factories.make_token(factories.make_member(clinic, "clinician", "clara")))
"""
TOLD = """
import django, json
django.setup()
from skinclinic.models import Job, Photo
from classifier.models import Analysis
print(json.dumps({
    "photos": sorted(Photo.objects.values_list("pk", flat=True)),
    "different": Photo.objects.values("sha256").distinct().count(),
    "analyses": Analysis.objects.count(),
    "states": sorted(Job.objects.filter(kind="analyse").values_list("state", flat=True)),
}))
"""


class Site:
    """Redis, web, worker and reconciler over this database."""

    def __init__(self, home: Path, database: servers.PostgreSQL):
        self.home, self.port, self._broker = home, servers.free_port(), servers.free_port()
        self.environment = {"DATABASE_URL": database.url, "SKINCLINIC_EMBEDDED": "1",
                            "CELERY_BROKER_URL": f"redis://127.0.0.1:{self._broker}/0",
                            "SKINCLINIC_HOME": str(home), "DJANGO_SETTINGS_MODULE": "skinclinic.settings",
                            "JOB_LEASE_SECONDS": "5", "SECRET_KEY": django_settings.SECRET_KEY}  # fmt: skip
        self._running: list[subprocess.Popen] = []

    def run(self, *words: str, check: bool = True) -> str:
        """What a command says."""
        done = subprocess.run(
            [sys.executable, *words], env=os.environ | self.environment, cwd=django_settings.BASE_DIR,
            capture_output=True, text=True,
        )  # fmt: skip
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def start(self) -> None:
        """All of it; the web first, as chance has it after a power cut."""
        self._running.append(start_web(self.port, self.home, **self.environment))
        broker = [servers.redis(), "--port", str(self._broker), "--save", "", "--appendonly", "no"]
        for command in (
            broker,
            [
                sys.executable,
                "-m",
                "celery",
                "-A",
                "skinclinic",
                "worker",
                "--pool",
                "solo",
                "-Q",
                "analysis",
            ],
            [sys.executable, "manage.py", "reconcile", "--every", "1"],
        ):
            self._running.append(subprocess.Popen(
                command, env=os.environ | self.environment, cwd=django_settings.BASE_DIR, start_new_session=True,
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            ))  # fmt: skip

    def kill(self) -> None:
        for process in self._running:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        for process in self._running:
            process.wait()
        self._running.clear()


def test_photos_are_sent_again_until_the_database_and_everything_is_back(home):
    with contextlib.ExitStack() as stack:
        database = stack.enter_context(servers.postgresql_process())
        site = Site(home, database)
        stack.callback(site.kill)
        site.run("manage.py", "migrate", "--no-input", "-v", "0")
        token = site.run("-c", BEGIN).split()[-1]
        site.start()
        uploads = Uploads(site.port, token, COUNT)
        stack.callback(uploads.over.set)
        uploads.begin()
        for number in range(1, 1 + TIMES):
            wait_until(
                lambda n=number: len(uploads.accepted) >= COUNT * n // (TIMES + 2), 120, "photos are accepted"
            )
            database.stop()
            away = uploads.told[503]
            wait_until(
                lambda away=away: uploads.told[503] > away + 2, 60, "whoever sends is told to come back"
            )
            database.start()
        enough = COUNT * (TIMES + 1) // (TIMES + 2)
        wait_until(lambda: len(uploads.accepted) >= enough, 180, "the same processes go on")
        database.stop()
        site.kill()
        site.start()
        database.start()
        uploads.join(300)
        assert len(uploads.accepted) == COUNT, uploads.told

        def unfinished() -> int:
            with contextlib.closing(psycopg2.connect(database.url)) as there, there.cursor() as cursor:
                cursor.execute(
                    "SELECT COUNT(*) FROM skinclinic_job WHERE kind = 'analyse' AND state <> 'done'"
                )
                return cursor.fetchone()[0]

        wait_until(lambda: unfinished() == 0, 180, "every photo is analysed")
        told = json.loads(site.run("-c", TOLD))
        assert told["photos"] == sorted(uploads.accepted.values()) and told["different"] == COUNT
        assert told["analyses"] == COUNT and told["states"] == ["done"] * COUNT
        found = json.loads(site.run("manage.py", "doctor", "--deep", "--json", check=False))
        assert [one for one in found if one["part"] == "files" and one["level"] != "ok"] == []
        assert set(uploads.told) <= {0, 200, 201, 503}, uploads.told
        print(
            f"\n{COUNT} uploads, the database stopped {TIMES} times and everything once: told {dict(uploads.told)}"
        )
