"""Migrations run while the version of before serves: what they change is looked through, and one is tried under writes
of that version on PostgreSQL. ``docs/upgrading.md``"""

import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from types import SimpleNamespace

import psycopg2
import psycopg2.errors
import pytest
from django.conf import settings
from django.db import OperationalError
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations import base as kinds
from django.db.migrations.operations import fields as of_fields
from django.db.migrations.operations import models as of_models
from django.db.migrations.operations.special import RunSQL

from skinclinic.concurrent_indexes import AddIndexWhileServing
from skinclinic.management import while_serving
from tests import servers

APPS = ("skinclinic", "archive", "classifier", "reader_study")
# Tables that are large after years; an index on one is made by AddIndexWhileServing.
LARGE = {
    "skinclinic": {"patient", "lesion", "photo", "diagnosis", "job", "auditevent", "note", "recordchange"},
    "archive": {"entry", "entrychange", "datasetitem", "duplicatepair"},
    "classifier": {"analysis", "assessment"},
    "reader_study": {"answer", "answerchange", "studyimage"},
}
# {what the version of before does not bear, or waits for: why it is so}. Whoever adds one says why here, and in
# docs/upgrading.md where somebody has to do something about it.
ACCEPTED = {
    "archive.0003: index on entry": "from 0.1 alone, whose archives are small",
    "archive.0005: index on entry": "the same",
    "classifier.0006: constraint on analysis": "a narrower one in place of a wider one; of 0.1's writes none breaks it",
    "classifier.0007: constraint on analysis": "the same",
    "classifier.0010: index on analysis": "from 0.1 alone",
    "skinclinic.0007: index on lesion": "from 0.1 alone, seven of them: docs/upgrading.md",
    "skinclinic.0010: constraint on photo": "a narrower one in place of a wider one; of 0.1's writes none breaks it",
    "skinclinic.0010: index on photo": "from 0.1 alone",
    "skinclinic.0032: column clinic.uid_namespace no longer empty": "clinics are made by a command of whoever upgrades",
}


def name_of(key, what: str) -> str:
    return f"{key[0]}.{key[1][:4]}: {what}"


def found_in(key, operation: kinds.Operation, large: set[str]) -> str | None:
    """What the version of before does not bear about this operation, or waits for; None where there is nothing."""
    model = str(getattr(operation, "model_name", "")).lower()
    match operation:
        case of_fields.RemoveField() | of_fields.RenameField():
            return name_of(key, f"column of {model} gone")
        case of_models.DeleteModel() | of_models.RenameModel() | of_models.AlterModelTable():
            return name_of(key, f"table {getattr(operation, 'name', '') or operation.old_name} gone")
        case of_fields.AddField(field=field):
            has_default = field.null or field.many_to_many or field.has_default() or field.has_db_default()
            # A default stays in the database (``while_serving``).
            return None if has_default or (field.blank and field.empty_strings_allowed) else name_of(
                key, f"column {model}.{operation.name} without default"
            )  # fmt: skip
        case of_models.AddIndex() if model in large and not isinstance(operation, AddIndexWhileServing):
            return name_of(key, f"index on {model}")
        case of_models.AddConstraint() if model in large:
            return name_of(key, f"constraint on {model}")
        case RunSQL():
            return name_of(key, "SQL")
    return None


def test_no_migration_breaks_the_version_of_before_without_a_word():
    loader = MigrationLoader(None, replace_migrations=False)
    found = set()
    for key, migration in sorted(loader.disk_migrations.items()):
        if key[0] not in APPS or key[1].startswith("0001_"):
            continue
        before = loader.project_state(
            [parent for parent in migration.dependencies if parent in loader.disk_migrations]
        )
        for operation in migration.operations:
            # Rows of a table that is made here are not there yet.
            model = (key[0], str(getattr(operation, "model_name", "")).lower())
            is_new = isinstance(
                operation, of_fields.AddField | of_models.AddConstraint | of_models.AddIndex
            ) and (model not in before.models)
            if not is_new and (said := found_in(key, operation, LARGE[key[0]])):
                found.add(said)
            if isinstance(operation, of_fields.AlterField) and model in before.models:
                old = before.models[model].fields.get(operation.name, operation.field)
                if old.null and not operation.field.null:
                    found.add(name_of(key, f"column {model[1]}.{operation.name} no longer empty"))
                if type(old) is not type(operation.field):
                    found.add(name_of(key, f"column {model[1]}.{operation.name} of another type"))
    assert found - set(ACCEPTED) == set(), "say in ACCEPTED why, or make it in two releases"
    assert set(ACCEPTED) - found == set(), "no longer so"


def test_what_is_in_use_is_tried_again_and_what_is_wrong_is_not():
    class Locked(Exception):
        pgcode = "55P03"

    def failing(times: int, cause: Exception) -> Callable[[], None]:
        left = iter(range(times))

        def migrate():
            for _ in left:
                raise OperationalError("…") from cause

        return migrate

    said, pauses = [], []
    while_serving.tried_again(failing(3, Locked()), said.append, pauses.append)
    assert len(said) == len(pauses) == 3 and "26 tries left" not in said[-1] and "27 tries left" in said[-1]
    with pytest.raises(OperationalError):
        while_serving.tried_again(failing(1, ValueError()), said.append, pauses.append)
    with pytest.raises(OperationalError):
        while_serving.tried_again(failing(while_serving.TRIES, Locked()), said.append, pauses.append)


@pytest.fixture(scope="module")
def old() -> SimpleNamespace:
    """A PostgreSQL with the tables of 0.1; ``run(code)`` runs Python with this version's settings on it."""
    with servers.postgresql_server() as database:
        environment = os.environ | {"DATABASE_URL": database, "SKINCLINIC_EMBEDDED": "1"}
        environment |= {"CELERY_BROKER_URL": "embedded://localhost"}

        def run(*words: str, wait: bool = True, **more: str):
            command = [sys.executable, *words]
            if not wait:
                return subprocess.Popen(
                    command, env=environment, cwd=settings.BASE_DIR, stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT, text=True,
                )  # fmt: skip
            done = subprocess.run(
                command, env=environment | more, cwd=settings.BASE_DIR, capture_output=True, text=True
            )  # fmt: skip
            assert done.returncode == 0, done.stdout + done.stderr
            return done.stdout

        run("-m", "tests.first_version")
        yield SimpleNamespace(database=database, run=run)


class OldVersion:
    """Threads that write and read what the version of before does, each statement as that would send it (it names the
    columns that it knows and no others), until they are stopped. A statement that waits too long is refused."""

    # Nothing waits so long that is not stuck, also on a machine with other work to do.
    LONGEST_MS = 60_000

    def __init__(self, database: str):
        self.database, self.over = database, threading.Event()
        self.errors: list[Exception] = []
        self.written, self.longest = [], 0.0
        self.threads = [threading.Thread(target=self._work, args=(number,)) for number in range(2)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join()

    def _work(self, worker: int) -> None:
        from tests.first_version import upload

        with contextlib.closing(psycopg2.connect(self.database)) as there:
            there.cursor().execute(f"SET statement_timeout = {self.LONGEST_MS}")
            there.commit()
            number = 0
            while not self.over.is_set():
                number += 1
                began = time.monotonic()
                try:
                    photo = upload(there, f"w{worker}-{number}")
                    # Keys of other tables are looked up in the end, so that this too may fail.
                    there.commit()
                    self.written.append(photo)
                except psycopg2.errors.DeadlockDetected:
                    there.rollback()  # such as any request may meet; it is sent again
                except Exception as error:
                    there.rollback()
                    self.errors.append(error)
                    return
                self.longest = max(self.longest, time.monotonic() - began)
                self.over.wait(0.2)


@pytest.mark.servers
@pytest.mark.timeout(1800)
def test_everything_is_migrated_while_the_first_version_writes(old, record_property):
    """Patients, lesions, photos, jobs and analyses of before and of meanwhile are there, and are what they were; the
    tables are those that a new database is given by its own, quicker way."""
    # A request that takes long: what it holds, no change may wait for with everybody behind it.
    slow = psycopg2.connect(old.database)
    slow.cursor().execute("UPDATE skinclinic_lesion SET note = note; SELECT 1 FROM skinclinic_photo")
    with OldVersion(old.database) as version:
        migrating = old.run("-m", "tests.watched_migrate", wait=False)
        said = []
        for line in migrating.stdout:
            said.append(line)
            if "tries left" in line and not slow.closed:
                slow.commit()
                slow.close()
        assert migrating.wait() == 0, "".join(said)
    assert len([line for line in said if "Applying" in line]) > 60
    # One that came by a lock later would meet those who write in a deadlock, at every try.
    assert [line for line in said if line.startswith("LATE")] == []
    assert slow.closed, "it waited for the request, and everybody for it"
    assert version.errors == []
    assert len(version.written) > 20
    record_property("uploads of the old version while it was migrated", len(version.written))
    record_property("longest of them, seconds", round(version.longest, 2))
    print(f"\n{len(version.written)} uploads meanwhile, the longest {version.longest:.2f} s")
    told = old.run("-m", "tests.first_version", "check", *map(str, version.written))
    assert "all there" in told
    with contextlib.closing(psycopg2.connect(old.database)) as there:
        there.autocommit = True
        there.cursor().execute("CREATE DATABASE new")
    new = old.database.rpartition("/")[0] + "/new"
    old.run("manage.py", "migrate", "--no-input", "-v", "0", DATABASE_URL=new)
    upgraded, made = tables_of(old.database), tables_of(new)
    assert len(made) > 1000
    assert (made - upgraded, {one for one in upgraded - made if one[0] not in FORMER_TABLES}) == (
        set(),
        set(),
    )


# Of 0.1 and others; nothing of this version knows them (``first_version.FORMER``).
FORMER_TABLES = ("django_session", "authtoken_token")
SHAPE = """
    SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod) || CASE WHEN a.attnotnull THEN '!' ELSE '' END
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
    UNION ALL SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL SELECT c.relname, k.conname, pg_get_constraintdef(k.oid)
    FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid WHERE k.connamespace = 'public'::regnamespace
    UNION ALL SELECT c.relname, t.tgname, pg_get_triggerdef(t.oid)
    FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid WHERE NOT t.tgisinternal
"""


def tables_of(database: str) -> set[tuple[str, str, str]]:
    """(table, name, what it is) of every column, index, constraint and trigger."""
    with contextlib.closing(psycopg2.connect(database)) as there:
        cursor = there.cursor()
        cursor.execute(SHAPE)
        return set(cursor.fetchall())
