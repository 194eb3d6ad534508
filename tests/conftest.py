"""Fixtures for every test: a home folder of its own, a clinic with its people, a photo, a tiny model."""

import gc
import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.test import Client
from django.utils import translation

from skinclinic import kept_queries
from tests import engine as engine_processes
from tests import factories
from tests.folders import exported, folders_of

# As in the product's processes: nothing of what is loaded until the tests begin is garbage.
gc.disable()

pytest_plugins = [
    "tests.chosen_files", "tests.emptied_tables", "tests.prepared_database", "tests.sets", "tests.standing",
    "tests.tally", "tests.transactions", "tests.words_read",
]  # fmt: skip


def pytest_collection_finish(session: pytest.Session) -> None:
    """What is there when the tests begin is there when they end: no search for garbage looks through it again, and what
    comes, more seldom, as in the web's processes (``gunicorn.conf.py``)."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 10, 10)
    gc.enable()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(tmp_path_factory, django_db_modify_db_settings_parallel_suffix):
    """SQLite's test database is a file, so that worker processes and threads share it; any other has a name of its
    own for each process that tests."""
    from django.conf import settings

    database = settings.DATABASES["default"]
    if "sqlite3" in database["ENGINE"]:
        database.setdefault("TEST", {})["NAME"] = str(tmp_path_factory.mktemp("database") / "test.sqlite3")


@pytest.fixture(scope="session", autouse=True)
def in_a_hurry():
    """What makes tests slow and is not what they are about."""
    from django.conf import settings

    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    # Otherwise every test client looks through all static files, which takes longer than most pages.
    settings.WHITENOISE_AUTOREFRESH = True
    # The same figures on every processor; what else there is, tests ask for.
    settings.INFERENCE_PRECISION = "f32"
    # The first times that a query which is kept is asked, it is held against Django's own.
    kept_queries.checks = 8
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INFERENCE_PRECISION", "f32")
        # No power fails here.
        patch.setattr(os, "fsync", lambda descriptor: None)
        yield


@pytest.fixture(autouse=True)
def home(request, settings, tmp_path, tmp_path_factory) -> Path:
    """A home folder for this test alone; only the cache of exported networks is shared by all."""
    home = tmp_path / "home"
    for name, folder in folders_of(home, exported(tmp_path_factory)).items():
        setattr(settings, name, folder)
    home.mkdir()
    if "live_server" in request.fixturenames:
        settings.WHITENOISE_AUTOREFRESH = False
    if "standing" in request.fixturenames:
        request.getfixturevalue("standing").copy_files(home)
    return home


@pytest.fixture(autouse=True)
def quiet_broker(monkeypatch, request):
    """Jobs are run by the test itself, unless it starts real workers."""
    from skinclinic.engine import health, jobs

    health.reset()
    if "engine" not in request.fixturenames:
        monkeypatch.setattr(jobs, "wake", lambda kind: True)


@pytest.fixture(autouse=True)
def own_language():
    """A page asked for in Korean leaves Korean on; the next test begins without."""
    yield
    translation.deactivate()


@pytest.fixture(autouse=True)
def same_lots(monkeypatch):
    """What a study draws by lot is drawn alike each time: what a test finds once, it finds again."""
    chance = random.Random(7)
    monkeypatch.setattr(random, "SystemRandom", lambda: chance)


@pytest.fixture
def announced_only(monkeypatch):
    """For requests that announce a large body and send none: there is nothing to read away."""
    monkeypatch.setattr("skinclinic.web.errors._read_away", lambda request: None)


def given_or_made(request: pytest.FixtureRequest, name: str, make: Callable):
    """What the module keeps under this name, or else what ``make`` makes."""
    given = request.getfixturevalue("given") if "standing" in request.fixturenames else {}
    return given[name] if name in given else make()


@pytest.fixture
def clinic(request, db):
    return given_or_made(request, "clinic", lambda: factories.make_clinic("Hanok Dermatology"))


@pytest.fixture
def other_clinic(request, db):
    return given_or_made(request, "other_clinic", lambda: factories.make_clinic("Elsewhere Skin Centre"))


@pytest.fixture
def clinician(request, clinic):
    return given_or_made(request, "clinician", lambda: factories.make_member(clinic, "clinician", "clara"))


@pytest.fixture
def coordinator(request, clinic):
    """A colleague who may look but not change."""
    return given_or_made(request, "coordinator", lambda: factories.make_member(clinic, "coordinator", "cora"))


@pytest.fixture
def curator(request, clinic):
    return given_or_made(request, "curator", lambda: factories.make_member(clinic, "curator", "curtis"))


@pytest.fixture
def admin_user(request, clinic):
    return given_or_made(request, "admin_user", lambda: factories.make_member(clinic, "admin", "ada"))


@pytest.fixture
def outsider(request, other_clinic):
    """An admin of another clinic."""
    return given_or_made(request, "outsider", lambda: factories.make_member(other_clinic, "admin", "oscar"))


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
    from classifier.services.models import registry

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
def engine(transactional_db, home, settings, monkeypatch, worker_id) -> Iterator[engine_processes.Engine]:
    """An engine on the broker this run is configured for: a folder of the home, or a database of Redis for each
    process that tests."""
    if settings.CELERY_BROKER_URL.startswith("embedded"):
        options = {"folder": str(home / "broker"), "polling_interval": 0.05}
        engine_processes.use_broker(settings, monkeypatch, "embedded://localhost", options)
    elif worker_id != "master":
        url = settings.CELERY_BROKER_URL.rpartition("/")[0] + "/" + worker_id.removeprefix("gw")
        engine_processes.use_broker(settings, monkeypatch, url, settings.CELERY_BROKER_TRANSPORT_OPTIONS)
    running = engine_processes.Engine(home, settings.CELERY_BROKER_URL)
    # Workers export networks to the cache of their own home; let them use the tests' shared one.
    (home / "cache").symlink_to(settings.CACHE_DIR)
    settings.CACHE_DIR.mkdir(parents=True, exist_ok=True)
    yield running
    running.stop()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    """Show what the workers of a failed test wrote."""
    report = yield
    running = item.funcargs.get("engine") if hasattr(item, "funcargs") else None
    if report.failed and isinstance(running, engine_processes.Engine):
        report.sections.append(("What the engine wrote", running.written()))
    return report


@pytest.fixture
def use_broker(settings, monkeypatch) -> Iterator[Callable[[str, dict], None]]:
    """Another broker, until the test is over."""
    from skinclinic import celery_app

    before = celery_app.conf.broker_url, celery_app.conf.broker_transport_options
    yield lambda url, options: engine_processes.use_broker(settings, monkeypatch, url, options)
    engine_processes.use_broker(settings, monkeypatch, *before)
