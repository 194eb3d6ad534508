"""The database stopped and started under uploads, on a PostgreSQL of its own with Redis, web, worker and reconciler:
who sends is told to come back, and nothing is lost or twice."""

import contextlib
import json
import os
import signal
import subprocess
import sys

import psycopg2
import pytest
from django.conf import settings as django_settings

from tests import servers
from tests.engine import wait_until
from tests.faults.uploading import Uploads
from tests.reading_crowd import start_web

COUNT = int(os.environ.get("SKINCLINIC_FAULT_UPLOADS", "8"))

pytestmark = [pytest.mark.servers, pytest.mark.timeout(600)]
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


def test_photos_are_sent_again_until_the_database_is_back(home):
    with contextlib.ExitStack() as stack:
        database = stack.enter_context(servers.postgresql_process())
        broker = stack.enter_context(servers.redis_server())
        environment = {"DATABASE_URL": database.url, "CELERY_BROKER_URL": broker, "SKINCLINIC_EMBEDDED": "1",
                       "SKINCLINIC_HOME": str(home), "DJANGO_SETTINGS_MODULE": "skinclinic.settings",
                       "JOB_LEASE_SECONDS": "5", "SECRET_KEY": django_settings.SECRET_KEY}  # fmt: skip

        def run(*words: str) -> str:
            done = subprocess.run(
                [sys.executable, *words], env=os.environ | environment, cwd=django_settings.BASE_DIR,
                capture_output=True, text=True,
            )  # fmt: skip
            assert done.returncode == 0, done.stdout + done.stderr
            return done.stdout

        def start(*words: str) -> None:
            process = subprocess.Popen(
                [sys.executable, *words], env=os.environ | environment, cwd=django_settings.BASE_DIR,
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )  # fmt: skip
            stack.callback(process.wait)
            stack.callback(process.kill)

        run("manage.py", "migrate", "--no-input", "-v", "0")
        token = run("-c", BEGIN).split()[-1]
        port = servers.free_port()
        web = start_web(port, home, **environment)
        stack.callback(lambda: os.killpg(web.pid, signal.SIGKILL))
        start("-m", "celery", "-A", "skinclinic", "worker", "--pool", "solo", "-Q", "analysis")
        start("manage.py", "reconcile", "--every", "1")
        # The others come when there is no database.
        uploads = Uploads(port, token, COUNT, at_most=COUNT // 2)
        stack.callback(uploads.over.set)
        uploads.begin()
        wait_until(lambda: len(uploads.accepted) >= COUNT // 4, 240, "photos are accepted")
        database.stop()
        away, uploads.at_most = uploads.told[503], COUNT
        wait_until(lambda: uploads.told[503] > away + 2, 240, "whoever sends is told to come back")
        database.start()
        uploads.join(180)
        assert len(uploads.accepted) == COUNT, uploads.told

        def unfinished() -> int:
            with contextlib.closing(psycopg2.connect(database.url)) as there, there.cursor() as cursor:
                cursor.execute(
                    "SELECT COUNT(*) FROM skinclinic_job WHERE kind = 'analyse' AND state <> 'done'"
                )
                return cursor.fetchone()[0]

        wait_until(lambda: unfinished() == 0, 180, "every photo is analysed")
        told = json.loads(run("-c", TOLD))
        assert told["photos"] == sorted(uploads.accepted.values()) and told["different"] == COUNT
        assert told["analyses"] == COUNT and told["states"] == ["done"] * COUNT
        found = json.loads(subprocess.run(
            [sys.executable, "manage.py", "doctor", "--deep", "--json"], env=os.environ | environment,
            cwd=django_settings.BASE_DIR, capture_output=True, text=True,
        ).stdout)  # fmt: skip
        assert [one for one in found if one["part"] == "files" and one["level"] != "ok"] == []
        assert set(uploads.told) <= {0, 200, 201, 503}, uploads.told
        print(f"\n{COUNT} uploads, told {dict(uploads.told)}")
