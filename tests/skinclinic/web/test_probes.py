"""What watches a node: whether it lives, whether it is ready, what its figures are."""

import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from http import HTTPStatus

import pytest
from django.conf import settings as django_settings
from django.db import OperationalError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.urls import reverse as url
from django.utils import timezone

from classifier.services.analysis.intake import take_in
from skinclinic.engine import health, jobs, machine, tally
from skinclinic.models import Job, WorkerSeen
from skinclinic.services import ready
from tests import factories, servers, web_image
from tests.engine import wait_until
from tests.prepared_database import prepared_file, tables_folder

TOKEN = "t" * 32


@pytest.fixture
def by_token(settings):
    settings.METRICS_TOKEN = TOKEN
    return {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture(autouse=True)
def asked_anew(monkeypatch):
    monkeypatch.setattr(ready._seen, "done", False)


def figures(client, headers) -> dict[str, float]:
    """{name{labels}: value}"""
    answer = client.get(url("metrics"), headers=headers)
    assert answer.status_code == HTTPStatus.OK
    lines = (line.rpartition(" ") for line in answer.content.decode().splitlines() if line[:1] != "#")
    return {name: float(value) for name, _space, value in lines}


def test_that_a_node_lives_is_asked_of_nobody_else(client, django_assert_num_queries, clinician, client_for):
    """No database, no session, no name that it was called by, no way over https."""
    signed_in = client_for(clinician)
    with django_assert_num_queries(0):
        assert client.get(url("healthz"), headers={"Host": "10.0.0.7:8000"}).json() == {"status": "ok"}
        assert signed_in.get(url("healthz")).status_code == 200
    assert client.post(url("healthz")).status_code == 405


@pytest.mark.django_db
def test_a_node_is_ready_once_its_database_is_migrated(client, by_token):
    assert client.get(url("readyz")).json() == {"status": "ok"}
    ready._seen.done = False
    MigrationRecorder(connection).record_unapplied("skinclinic", "0040_jobs_that_are_open")
    answer = client.get(url("readyz"))
    assert (answer.status_code, answer.json()) == (503, {"status": "not_ready"})
    told = client.get(url("readyz"), headers=by_token).json()["parts"]
    assert list(told) == ["migrations"] and "manage.py migrate" in told["migrations"]
    assert client.get(url("healthz")).status_code == 200


@pytest.mark.django_db
def test_an_installation_from_before_the_first_version_is_ready():
    """Its tables know the names that the first migrations of today stand for."""
    recorder, stands_for = MigrationRecorder(connection), dict(ready._brought())
    key = ("skinclinic", "0001_version_0_1")
    recorder.record_unapplied(*key)
    for former in stands_for[key] - {key}:
        recorder.record_applied(*former)
    assert ready.migrations_waiting() == []


@pytest.mark.django_db
def test_what_is_away_is_told_to_who_may_know_and_can_be_left_out(client, by_token, use_broker, monkeypatch):
    use_broker(f"redis://127.0.0.1:{servers.free_port()}/0", {})
    monkeypatch.setattr("skinclinic.files.store.is_full", lambda: True)
    assert client.get(url("readyz")).status_code == 503
    assert list(client.get(url("readyz"), headers=by_token).json()["parts"]) == ["broker", "disk"]
    assert client.get(url("readyz"), {"without": "broker,disk"}).status_code == 200

    def no_cursor(*args, **kwargs):
        raise OperationalError("could not connect to server at 10.0.0.3, password secret")

    monkeypatch.setattr(connection, "cursor", no_cursor)
    told = client.get(url("readyz"), headers=by_token).json()["parts"]
    assert told == {"database": "the database does not answer"}


@pytest.mark.django_db
def test_figures_are_for_who_was_let_in(client, settings):
    assert client.get(url("metrics")).status_code == 404
    settings.METRICS_TOKEN = TOKEN
    for sent in ("", "Bearer", f"Bearer {TOKEN}x", "Bearer \u00e9"):
        assert client.get(url("metrics"), headers={"Authorization": sent}).status_code == 403
    assert client.get(url("metrics"), headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200
    from ipaddress import ip_network

    settings.METRICS_TOKEN, settings.METRICS_NETWORKS = "", [ip_network("10.1.0.0/16")]
    assert client.get(url("metrics"), REMOTE_ADDR="10.1.2.3").status_code == 200
    assert client.get(url("metrics"), REMOTE_ADDR="10.2.2.3").status_code == 403
    # What a proxy of ours says of who asks counts, and nothing else does.
    settings.PROXY_COUNT = 1
    assert client.get(url("metrics"), headers={"X-Forwarded-For": "10.1.2.3, 8.8.8.8"}).status_code == 403


@pytest.mark.django_db
def test_figures_tell_of_jobs_workers_and_requests_and_of_nobody(
    client, by_token, clinic, clinician, model_version, monkeypatch
):
    before = figures(client, by_token)
    take_in(user=clinician, clinic=clinic, data=factories.jpeg_bytes(1), name="kim-1970.jpg", kind="close_up")
    take_in(user=clinician, clinic=clinic, data=factories.jpeg_bytes(1), name="kim-1970.jpg", kind="close_up")
    client.post(url("login"), {"username": clinician.username, "password": "wrong"})
    client.get("/nowhere/")
    Job.objects.update(created_at=timezone.now() - timezone.timedelta(minutes=5))
    failed = Job.objects.create(kind="mail", key="1", clinic=clinic, state="failed", attempts=3)
    tally.reset()
    tally.note("analyse", tally.DONE, 1.5)
    tally.note("analyse", tally.AGAIN, 0.5)
    monkeypatch.setattr(machine, "told", lambda: {"memory": 8e9, "memory_left": 1e9, "gpus": [
        {"name": "H200", "memory": 1e11, "memory_left": 9e10}
    ]})  # fmt: skip
    jobs.worker_alive("host:7", begins=True)
    monkeypatch.setattr(health, "trouble", lambda: health.NO_MEMORY)
    jobs.worker_alive("host:8", "batch", begins=True)
    tally.reset()
    now = figures(client, by_token)
    assert now['skinclinic_jobs{kind="analyse",state="queued"}'] == 1
    assert now['skinclinic_jobs{kind="mail",state="failed"}'] == 1
    assert now['skinclinic_queue_depth{queue="analysis"}'] == 1
    assert 299 < now['skinclinic_job_oldest_waiting_seconds{kind="analyse"}'] < 400
    assert now['skinclinic_workers{queue="analysis"}'] == 1 and now['skinclinic_workers{queue="mail"}'] == 0
    worker = 'queue="analysis",worker="host:7"'
    assert now[f'skinclinic_worker_jobs_total{{kind="analyse",outcome="done",{worker}}}'] == 1
    assert now[f'skinclinic_worker_job_seconds_total{{kind="analyse",{worker}}}'] == 2
    assert now[f"skinclinic_worker_start_time_seconds{{{worker}}}"] > 1.7e9
    assert now['skinclinic_worker_gpu_memory_free_bytes{gpu="0",worker="host:7"}'] == 9e10
    assert now['skinclinic_worker_resting{queue="batch",trouble="no_memory",worker="host:8"}'] == 1
    assert now['skinclinic_up{part="database"}'] == now['skinclinic_up{part="broker"}'] == 1
    assert now["skinclinic_ready"] == 1 and now["skinclinic_scrape_failures"] == 0
    assert now["skinclinic_node_memory_bytes"] == 8e9
    assert now[f'skinclinic_model_in_use_info{{clinic="{clinic.pk}",model="{model_version.pk}"}}'] == 1

    def more(name: str) -> float:
        return now[name] - before.get(name, 0)

    assert more('skinclinic_photos_received_total{outcome="stored"}') == 1
    assert more('skinclinic_photos_received_total{outcome="known"}') == 1
    assert more('skinclinic_sign_ins_total{outcome="refused"}') == 1
    assert more('skinclinic_http_requests_total{method="GET",status="404",view="none"}') == 1
    assert more('skinclinic_http_request_duration_seconds_count{method="POST",view="login"}') == 1
    text = client.get(url("metrics"), headers=by_token).content.decode()
    for secret in (clinic.name, clinic.slug, clinician.username, "kim-1970", str(failed.error) or "kim"):
        assert secret not in text
    names = set(re.findall(r"^# TYPE (skinclinic_\w+) ", text, re.M))
    assert names and all(re.fullmatch(r"[a-z][a-z0-9_]*", name) for name in names)


@pytest.mark.django_db
def test_a_source_that_fails_leaves_the_others(client, by_token, monkeypatch):
    def away():
        raise OperationalError("gone")

    monkeypatch.setattr("skinclinic.services.measured.figure._sources", [away, *sources()])
    now = figures(client, by_token)
    assert now["skinclinic_scrape_failures"] == 1 and now["skinclinic_ready"] == 1


def sources():
    from skinclinic.services.measured import figure

    return list(figure._sources)


@pytest.mark.django_db
def test_a_worker_that_has_another_ones_name_begins_anew(clinic):
    jobs.worker_alive("host:1", begins=True)
    WorkerSeen.objects.update(began_at=timezone.now() - timezone.timedelta(days=3))
    jobs.worker_alive("host:1")
    assert WorkerSeen.objects.get().began_at < timezone.now() - timezone.timedelta(days=2)
    jobs.worker_alive("host:1", begins=True)
    assert WorkerSeen.objects.get().began_at > timezone.now() - timezone.timedelta(minutes=1)


def test_memory_is_that_of_the_container_where_it_has_less(tmp_path, monkeypatch):
    (tmp_path / "meminfo").write_text("MemTotal: 8000 kB\nMemFree: 1 kB\nMemAvailable: 4000 kB\n")
    monkeypatch.setattr(machine, "MEMINFO", tmp_path / "meminfo")
    monkeypatch.setattr(machine, "GROUPS", tmp_path)
    assert machine.memory() == (8_192_000, 4_096_000)
    (tmp_path / "memory.max").write_text("max\n")
    (tmp_path / "memory.current").write_text("900000\n")
    assert machine.memory() == (8_192_000, 4_096_000)
    (tmp_path / "memory.max").write_text("1000000\n")
    assert machine.memory() == (1_000_000, 100_000)


def ask(port: int, path: str) -> tuple[int, str]:
    asked = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}", headers={"Authorization": f"Bearer {TOKEN}"}
    )
    try:
        with urllib.request.urlopen(asked, timeout=60) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError:
        return 0, ""


@pytest.mark.check
def test_processes_count_together_and_a_node_that_drains_is_not_ready_before_it_stops(request, tmp_path):
    """The command of the image, with two processes: a scrape that one answers tells of both."""
    port = servers.free_port()
    environment = {k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "CELERY_BROKER_URL")}
    environment |= {"SKINCLINIC_HOME": str(tmp_path), "METRICS_TOKEN": TOKEN, "WEB_DRAIN_SECONDS": "60"}
    prepared = prepared_file(tables_folder(request))
    if prepared.exists():
        shutil.copyfile(prepared, tmp_path / "skinclinic.sqlite3")
    else:
        migrate = [sys.executable, "manage.py", "migrate", "--no-input", "-v", "0"]
        subprocess.run(migrate, env=environment, cwd=django_settings.BASE_DIR, check=True)
    web = subprocess.Popen(
        web_image.gunicorn(port, workers=2), env=environment, cwd=django_settings.BASE_DIR,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    name = 'skinclinic_http_requests_total{method="GET",status="200",view="login"}'
    try:
        wait_until(lambda: ask(port, "/readyz")[0] == 200, 240, "it is ready")
        for _ in range(12):
            assert ask(port, "/login/")[0] == 200
        for _ in range(4):
            assert f"{name} 12.0" in ask(port, "/metrics")[1]
        web.send_signal(signal.SIGTERM)
        wait_until(lambda: ask(port, "/readyz")[0] == 503, 240, "it says that it is about to stop")
        assert "draining" in ask(port, "/readyz")[1]
        assert ask(port, "/login/")[0] == 200 and ask(port, "/healthz")[0] == 200
        web.send_signal(signal.SIGTERM)
        assert web.wait(30) == 0
    finally:
        if web.poll() is None:
            os.killpg(web.pid, signal.SIGKILL)
