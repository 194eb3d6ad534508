"""Fixtures for every test: a home folder of its own, a clinic with its people, a photo, a tiny model."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.test import Client

from tests import engine as engine_processes
from tests import factories
from tests.transactions import pytest_runtest_call  # noqa: F401  (nothing slow inside a transaction)

PHOTOS = os.environ.get("SKINCLINIC_TEST_PHOTOS", "")


def pytest_collection_modifyitems(config, items):
    """Leave out GPU tests where there is no GPU (nothing to skip: they are for another machine), and name
    what other tests lack here."""
    from tests import peers, servers

    have_gpu = os.environ.get("SKINCLINIC_TEST_GPU") == "1"
    items[:] = [item for item in items if have_gpu or "gpu" not in item.keywords]
    lacking = {
        "photos": None if PHOTOS else "SKINCLINIC_TEST_PHOTOS names no folder of real photos",
        "browser": None if servers.chromium() else "Chromium is not installed",
        "servers": None
        if servers.postgresql() and servers.redis()
        else "PostgreSQL or Redis is not installed",
        "nginx": None if servers.nginx() else "nginx is not installed",
        "compose": None if shutil.which("docker-compose") else "docker-compose is not installed",
        "gettext": None if shutil.which("xgettext") else "gettext is not installed",
        "r": None if peers.r_with_proc() else "R with pROC is not installed",
    }
    for item in items:
        for mark, reason in lacking.items():
            if reason and mark in item.keywords:
                item.add_marker(pytest.mark.skip(reason=reason))


def pytest_sessionfinish(session, exitstatus):
    """In CI a skipped test is a failure: everything the tests need is there."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") and reporter and reporter.stats.get("skipped"):
        reporter.write_line("CI: tests were skipped, which counts as a failure", red=True)
        session.exitstatus = 1


@pytest.fixture(scope="session")
def real_photos() -> Path:
    """The folder of real photos (metadata.csv, images/); mark the test ``photos``."""
    return Path(PHOTOS)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(tmp_path_factory):
    """SQLite's test database is a file, so that worker processes and threads share it."""
    from django.conf import settings

    database = settings.DATABASES["default"]
    if "sqlite3" in database["ENGINE"]:
        database.setdefault("TEST", {})["NAME"] = str(tmp_path_factory.mktemp("database") / "test.sqlite3")


@pytest.fixture(autouse=True)
def home(settings, tmp_path, tmp_path_factory) -> Path:
    """A home folder for this test alone; only the cache of exported networks is shared by all."""
    settings.SKINCLINIC_HOME = tmp_path / "home"
    settings.PHOTOS_DIR = settings.SKINCLINIC_HOME / "photos"
    settings.MODELS_DIR = settings.SKINCLINIC_HOME / "models"
    settings.CACHE_DIR = tmp_path_factory.getbasetemp() / "cache"
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.SKINCLINIC_HOME.mkdir()
    return settings.SKINCLINIC_HOME


@pytest.fixture(autouse=True)
def quiet_broker(monkeypatch, request):
    """Jobs are run by the test itself, unless it is marked ``engine`` and starts real workers."""
    from skinclinic import jobs

    if "engine" not in request.keywords:
        monkeypatch.setattr(jobs, "wake", lambda kind: True)


@pytest.fixture
def announced_only(monkeypatch):
    """For requests that announce a large body and send none: there is nothing to read away."""
    monkeypatch.setattr("skinclinic.views.errors._read_away", lambda request: None)


@pytest.fixture
def clinic(db):
    return factories.make_clinic("Hanok Dermatology")


@pytest.fixture
def other_clinic(db):
    return factories.make_clinic("Elsewhere Skin Centre")


@pytest.fixture
def clinician(clinic):
    return factories.make_member(clinic, "clinician", "clara")


@pytest.fixture
def coordinator(clinic):
    """A colleague who may look but not change."""
    return factories.make_member(clinic, "coordinator", "cora")


@pytest.fixture
def curator(clinic):
    return factories.make_member(clinic, "curator", "curtis")


@pytest.fixture
def admin_user(clinic):
    return factories.make_member(clinic, "admin", "ada")


@pytest.fixture
def outsider(other_clinic):
    """An admin of another clinic."""
    return factories.make_member(other_clinic, "admin", "oscar")


@pytest.fixture
def client_for():
    """client_for(user) -> a test client signed in as that user."""

    def make(user) -> Client:
        client = Client()
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        return client

    return make


@pytest.fixture(scope="session")
def model_dir(tmp_path_factory) -> Path:
    """A tiny network with random weights, saved as a model version."""
    return factories.make_model_dir(tmp_path_factory.mktemp("model") / "tiny")


@pytest.fixture
def model_version(db, model_dir):
    from classifier.services import registry

    return registry.register(model_dir)


@pytest.fixture
def photo(clinic, clinician):
    """A stored synthetic photo of the clinic, not yet analysed."""
    return factories.make_photo(clinic, clinician)


@pytest.fixture
def analysis(photo, clinician, model_version):
    """A finished analysis of ``photo`` by the tiny network, run through the real job."""
    return factories.make_analysis(photo, clinician)


@pytest.fixture
def engine(transactional_db, home, settings) -> Iterator[engine_processes.Engine]:
    """An engine on the broker this run is configured for: a folder of the home, or Redis."""
    if settings.CELERY_BROKER_URL.startswith("embedded"):
        engine_processes.use_broker(
            settings, "embedded://localhost", {"folder": str(home / "broker"), "polling_interval": 0.05}
        )
    running = engine_processes.Engine(home, settings.CELERY_BROKER_URL)
    # Workers export networks to the cache of their own home; let them use the tests' shared one.
    (home / "cache").symlink_to(settings.CACHE_DIR)
    settings.CACHE_DIR.mkdir(parents=True, exist_ok=True)
    yield running
    running.stop()


@pytest.fixture
def use_broker(settings) -> Callable[[str, dict], None]:
    return lambda url, options: engine_processes.use_broker(settings, url, options)
