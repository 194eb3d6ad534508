"""The doctor: each fault that is made is named, with what to do, and nothing else is."""

import io
import json
import os
import socket
import ssl
import time
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import OperationalError
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from classifier.models import ModelVersion, Publication
from classifier.services.models import registry
from skinclinic import imaging
from skinclinic.archive.models import Entry
from skinclinic.engine import jobs
from skinclinic.files import store
from skinclinic.models import Erasure, Job, WorkerSeen
from skinclinic.services import audit
from skinclinic.services.doctor import findings, machine
from skinclinic.services.doctor.findings import FAILURE, OK
from skinclinic.services.erasing import ledger
from tests import engine as engine_processes
from tests import factories
from tests.cases import each


@pytest.fixture
def well(clinic, clinician, model_version, home, settings, monkeypatch):
    """An installation to which nothing is wrong."""
    os.chmod(home, 0o700)
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    Publication.objects.create(clinic=clinic, model_version=model_version)
    for queue in jobs.queues():
        jobs.worker_alive("one", queue)
    audit.record("backup.make", clinic=clinic)
    photo = factories.make_photo(clinic, clinician)
    monkeypatch.setattr(machine, "_pinned", lambda path: [])
    # Another machine's disk is no part of the tests.
    monkeypatch.setattr(machine, "LITTLE", 0)
    monkeypatch.setattr(machine, "TOO_LITTLE", 0)
    url, options = settings.CELERY_BROKER_URL, settings.CELERY_BROKER_TRANSPORT_OPTIONS
    yield photo
    if url != settings.CELERY_BROKER_URL:
        engine_processes.use_broker(settings, monkeypatch, url, options)


def asked(*words: str, **options: object) -> tuple[int, list[dict]]:
    """(exit status, what is not well)."""
    said, status = io.StringIO(), 0
    try:
        call_command("doctor", *words, "--json", stdout=said, **options)
    except SystemExit as stopped:
        status = stopped.code
    return status, [one for one in json.loads(said.getvalue()) if one["level"] != OK]


def test_nothing_is_wrong_with_what_is_well(well):
    assert asked("--deep") == (0, [])
    said = io.StringIO()
    call_command("doctor", stdout=said)
    assert "0 failures, 0 warnings." in said.getvalue() and "ok      database" in said.getvalue()


def home_is_open(well, home, settings, monkeypatch):
    os.chmod(home, 0o755)
    return "permissions", "others on this machine", f"chmod 700 {home}"


def key_is_open(well, home, settings, monkeypatch):
    (home / "secret_key").write_text("x")
    os.chmod(home / "secret_key", 0o644)
    return "permissions", "others may read", "chmod 600"


def disk_is_full(well, home, settings, monkeypatch):
    monkeypatch.setattr(machine, "TOO_LITTLE", 1 << 60)
    monkeypatch.setattr(machine.tempfile, "gettempdir", lambda: str(home))
    return "disk", "free in", "Make room"


def debug(well, home, settings, monkeypatch):
    settings.DEBUG = True
    return "settings", "DEBUG", "Unset DEBUG"


def mail_is_down(well, home, settings, monkeypatch):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        settings.EMAIL_HOST, settings.EMAIL_PORT = free.getsockname()
    return "mail", "does not take us", "EMAIL_URL"


def redis_is_down(well, home, settings, monkeypatch):
    options = {"socket_connect_timeout": 1}
    engine_processes.use_broker(settings, monkeypatch, "redis://127.0.0.1:1/0", options)
    return "broker", "does not answer", "CELERY_BROKER_URL"


def weights_are_gone(well, home, settings, monkeypatch):
    ModelVersion.objects.update(folder=str(home / "nowhere"))
    return "models", "are not in", "--missing-files"


def gpu_is_gone(well, home, settings, monkeypatch):
    settings.CLASSIFIER_RUNTIME = "torch"
    monkeypatch.setattr("classifier.runtimes.cuda.is_available", lambda: False)
    return "GPU", "no CUDA device", "nvidia-smi"


def a_migration_is_missing(well, home, settings, monkeypatch):
    ((app, name),) = MigrationLoader(None).graph.leaf_nodes("reader_study")
    MigrationRecorder.Migration.objects.filter(app=app, name=name).delete()
    return "database", "not applied", "manage.py migrate"


def the_version_is_too_old(well, home, settings, monkeypatch):
    MigrationRecorder.Migration.objects.create(app="skinclinic", name="9999_of_tomorrow")
    return "database", "newer version (skinclinic.9999_of_tomorrow)", "Install that version"


def an_erasure_is_not_applied(well, home, settings, monkeypatch):
    ledger.note(Erasure(clinic_id=well.clinic_id, reason="asked", counts={}, trace={}, at=timezone.now()))
    return "database", "erased", "apply_erasures"


def a_workers_clock_is_wrong(well, home, settings, monkeypatch):
    seen = WorkerSeen.objects.get(name="analysis@one")
    seen.told["clock"] -= 7200
    seen.save()
    return "clock", "of the worker one is 7,200 s behind", "NTP"


FAULTS = (
    home_is_open, key_is_open, disk_is_full, debug, mail_is_down, redis_is_down, weights_are_gone, gpu_is_gone,
    a_migration_is_missing, the_version_is_too_old, an_erasure_is_not_applied, a_workers_clock_is_wrong,
)  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_a_fault_is_named_with_its_remedy(fault, well, home, settings, monkeypatch):
    part, said, remedy = fault(well, home, settings, monkeypatch)
    status, found = asked()
    assert status == 1
    assert {one["part"] for one in found} == {part}
    assert all(said in one["said"] and remedy in one["remedy"] for one in found if one["level"] == FAILURE)


def test_what_only_warns(well, clinic, settings, monkeypatch):
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
    monkeypatch.setattr(registry, "published", lambda clinic: None)
    Job.objects.create(kind="analyse", key="x", clinic=clinic)
    Job.objects.update(created_at=timezone.now() - timedelta(hours=1))
    WorkerSeen.objects.filter(name__startswith="mail@").delete()
    status, found = asked()
    assert status == 0
    words = [f"{one['part']}: {one['said']}" for one in found]
    assert len(words) == 4, words
    assert "no mail server" in words[0] and "“mail”" in words[1] and "1 jobs wait" in words[2]
    assert "has published no model" in words[3]


def test_a_certificate_is_looked_at_where_people_open_it(well, settings, monkeypatch):
    settings.EMBEDDED, settings.DISK_ENCRYPTED = False, True
    settings.PUBLIC_ADDRESS = ""
    assert "https://" in asked()[1][0]["said"]
    settings.PUBLIC_ADDRESS = "https://127.0.0.1:1"
    status, found = asked()
    assert (status, found[0]["part"], found[0]["level"]) == (0, "TLS", "warning")
    ends = {"at": time.time() + 5 * 86_400 + 60}
    monkeypatch.setattr(machine, "_certificate_ends", lambda host, port: ends["at"])
    assert "good for 5 days" in asked()[1][0]["said"]
    ends["at"] += 100 * 86_400
    assert asked() == (0, [])

    def expired(host, port):
        raise ssl.SSLCertVerificationError(1, "certificate has expired")

    monkeypatch.setattr(machine, "_certificate_ends", expired)
    status, found = asked()
    assert status == 1 and "not good" in found[0]["said"] and "docker/tls" in found[0]["remedy"]


def test_a_check_that_fails_itself_is_told_and_the_others_go_on(well, monkeypatch):
    def broken():
        raise RuntimeError("no such thing")

    monkeypatch.setitem(findings.checks, "versions", broken)
    status, (found,) = asked()
    assert status == 1 and found["part"] == "versions" and "no such thing" in found["said"]

    def asks_a_database_that_is_down():
        raise OperationalError("server closed the connection")

    monkeypatch.setitem(findings.checks, "versions", asks_a_database_that_is_down)
    assert "Mend the database" in asked()[1][0]["remedy"]


def test_a_disk_that_is_not_encrypted_is_named_in_production(well, home, settings, tmp_path, monkeypatch):
    settings.EMBEDDED, settings.PUBLIC_ADDRESS = False, "https://skin.example.org"
    monkeypatch.setattr(machine, "_certificate_ends", lambda host, port: time.time() + 100 * 86_400)
    monkeypatch.setattr(machine, "is_encrypted", lambda folder: False)
    status, found = asked()
    assert status == 0 and [one["part"] for one in found] == ["encryption"] and "LUKS" in found[0]["remedy"]
    settings.DISK_ENCRYPTED = True
    assert asked() == (0, [])
    monkeypatch.undo()
    # LVM on LUKS, as the kernel tells it.
    number = home.stat().st_dev
    device = tmp_path / f"{os.major(number)}:{os.minor(number)}"
    for folder, uuid in {device: "LVM-1", device / "slaves" / "dm-0": "CRYPT-LUKS2-77"}.items():
        (folder / "dm").mkdir(parents=True)
        (folder / "dm" / "uuid").write_text(uuid)
    assert machine.is_encrypted(home, tmp_path)
    (device / "slaves" / "dm-0" / "dm" / "uuid").write_text("LVM-2")
    assert not machine.is_encrypted(home, tmp_path)


# Rows and files


def aged(path) -> None:
    old = time.time() - 7200
    os.utime(path, (old, old))


@each("key", ["file_key", "thumbnail_key"])
def test_a_missing_file_and_a_cut_one_are_named(well, key):
    path = store.path_of(getattr(well, key))
    content = path.read_bytes()
    path.write_bytes(content[:-100])
    status, found = asked("--deep")
    assert status == 1 and len(found) == 1
    assert path.name in found[0]["said"] and "no whole JPEG" in found[0]["said"]
    assert f"photo {well.pk}" in found[0]["said"] and "--missing-files" in found[0]["remedy"]
    path.unlink()
    status, found = asked("--deep")
    assert status == 1 and "is missing" in found[0]["said"] and len(found) == 1
    path.write_bytes(content)
    assert asked("--deep") == (0, [])


def test_another_hash_than_the_archive_knows_is_named(well, clinician):
    factories.make_entry(well, clinician)
    content = store.read(well.file_key)
    Entry.objects.update(content_sha256=imaging.sha256(content))
    assert asked("--deep") == (0, [])
    store.path_of(well.file_key).write_bytes(content[:500] + b"x" + content[501:])
    status, found = asked("--deep")
    assert status == 1 and "another hash" in found[0]["said"]


def test_files_and_folders_without_a_row_are_named_once_they_are_settled(well, home):
    key = store.save("clinic-1", b"\xff\xd8\xff\xd9")
    folders = [
        home / name for name in ("evaluations/77", "studies/78", "imports/79", "training/80", "exports/x-1")
    ]
    model = home / "models" / "shipped" / "lost" / "model.safetensors"
    for folder in (*folders, model.parent):
        folder.mkdir(parents=True)
    model.write_bytes(b"x")
    # A photo that is being stored has no row yet.
    assert asked("--deep") == (0, [])
    for path in (store.path_of(key), model, *folders):
        aged(path)
    status, found = asked("--deep")
    assert status == 0 and all("without a row" in one["said"] for one in found)
    assert {one["said"].split(" ")[0] for one in found} == {
        f"photos/{key}", "models/shipped/lost/model.safetensors",
        *(str(folder.relative_to(home)) for folder in folders),
    }  # fmt: skip
