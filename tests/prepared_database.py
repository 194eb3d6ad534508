"""The tables that tests begin with: made by the migrations once, and copied by every process that tests.

SQLite's copy stays in pytest's cache for later runs, under a name that changes with models and migrations. A server of
PostgreSQL keeps its copy as a database beside the others.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import allauth
import django
import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import setup_databases

APPS = ("skinclinic", "classifier", "reader_study")


def digest() -> str:
    """Of whatever the tables depend on."""
    found = hashlib.sha256(f"{django.__version__} {settings.INSTALLED_APPS} {allauth.__version__}".encode())
    for app in APPS:
        for path in sorted((settings.BASE_DIR / app).rglob("*.py")):
            if {"models", "migrations"} & {*path.parent.parts, path.stem} or path.name == "apps.py":
                found.update(path.read_bytes())
    return found.hexdigest()[:16]


def prepared_file(folder: Path) -> Path:
    """SQLite's copy, which may not be there yet."""
    return folder / f"{digest()}.sqlite3"


def tables_folder(request: pytest.FixtureRequest) -> Path:
    return Path(request.config.cache.mkdir("tables"))


class File:
    """A SQLite database, which is its file."""

    def __init__(self, folder: Path):
        self.prepared = prepared_file(folder)
        self.name = Path(settings.DATABASES["default"]["TEST"]["NAME"])

    def take(self) -> bool:
        if self.prepared.exists():
            shutil.copyfile(self.prepared, self.name)
        return self.prepared.exists()

    def keep(self) -> None:
        for old in self.prepared.parent.glob("*.sqlite3"):
            old.unlink()
        half = self.prepared.with_suffix(".half")
        shutil.copyfile(self.name, half)
        half.rename(self.prepared)


class Server:
    """A database of PostgreSQL, which copies its databases itself."""

    def __init__(self, folder: Path):
        self.prepared = f"prepared_{digest()}"
        self.name = connection.creation._get_test_db_name()

    def _copy(self, source: str, target: str) -> None:
        with connection.creation._nodb_cursor() as cursor:
            cursor.execute(f'DROP DATABASE IF EXISTS "{target}"')
            cursor.execute(f'CREATE DATABASE "{target}" TEMPLATE "{source}"')

    def take(self) -> bool:
        with connection.creation._nodb_cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [self.prepared])
            is_there = cursor.fetchone() is not None
        if is_there:
            self._copy(self.prepared, self.name)
        return is_there

    def keep(self) -> None:
        self._copy(self.name, self.prepared)


@pytest.fixture(scope="session")
def django_db_setup(
    request, django_test_environment, django_db_blocker, django_db_modify_db_settings
) -> Iterator[None]:
    """Instead of pytest-django's, which migrates anew in each process."""
    folder = tables_folder(request)
    database = (File if connection.vendor == "sqlite" else Server)(folder)
    with django_db_blocker.unblock(), open(folder / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if database.take():
            connection.close()
            settings.DATABASES["default"]["NAME"] = connection.settings_dict["NAME"] = str(database.name)
        else:
            setup_databases(verbosity=0, interactive=False)
            connection.close()
            database.keep()
    yield
    with django_db_blocker.unblock():
        connection.close()


@pytest.fixture
def migrated(request) -> Callable[[Path], None]:
    """migrated(home): give a home, for programs of their own, the embedded database with all its tables."""

    def give(home: Path) -> None:
        home.mkdir(parents=True, exist_ok=True)
        prepared = prepared_file(tables_folder(request))
        if prepared.exists():
            shutil.copyfile(prepared, home / "skinclinic.sqlite3")
            return
        environment = {name: text for name, text in os.environ.items() if name != "DATABASE_URL"}
        subprocess.run(
            [sys.executable, "manage.py", "migrate", "--verbosity", "0"],
            cwd=settings.BASE_DIR, env=environment | {"SKINCLINIC_HOME": str(home)}, check=True,
        )  # fmt: skip

    return give
