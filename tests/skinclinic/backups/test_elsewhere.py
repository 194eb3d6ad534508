"""A backup is given to another machine: another database, a newer version, nothing there but the program."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from skinclinic.backups.repository import Manifest, Repository, packed
from skinclinic.backups.sealing import Key, write_new_key
from skinclinic.services.backing_up import tables
from tests import factories

# One that gave a table a column; whatever needs it is newer, too.
NEWER = ("skinclinic", "0022_token_reminders")
DRAWN = {("skinclinic.clinic", "uid_namespace")}


def manage(home: Path, *words: object) -> str:
    """A command of the program in this home, with the embedded database."""
    environment = {
        name: text for name, text in os.environ.items() if name not in ("DATABASE_URL", "SECRET_KEY")
    } | {"SKINCLINIC_HOME": str(home), "SKINCLINIC_EMBEDDED": "1"}  # fmt: skip
    done = subprocess.run(
        [sys.executable, "manage.py", *map(str, words)], cwd=settings.BASE_DIR, env=environment,
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def made_older(repository: Repository, manifest: Manifest) -> None:
    """As the version before NEWER would have written it."""
    loader = MigrationLoader(None)
    newer = {NEWER}
    while (
        more := {
            key for key in loader.graph.nodes if {p.key for p in loader.graph.node_map[key].parents} & newer
        }
        - newer
    ):
        newer |= more
    older = [key for key in map(tuple, manifest.about["migrations"]) if key not in newer]
    models = {m._meta.label_lower: m for m in tables.models_of(loader.project_state(older).apps)}
    for label, table in list(manifest.tables.items()):
        if label not in models:
            del manifest.tables[label]
            continue
        names = {field.attname for field in tables.columns_of(models[label])}
        kept = [n for n, name in enumerate(table["columns"]) if name in names]
        if len(kept) < len(table["columns"]):
            parts = [
                packed("\n".join(json.dumps([row[n] for n in kept]) for row in rows).encode())
                for rows in (tables.rows_of(repository.whole(part)) for part in manifest.parts_of(label))
            ]
            table["columns"] = [table["columns"][n] for n in kept]
            table["parts"] = [(s.sha256, s.size) for s, _added in (repository.put([part]) for part in parts)]
    manifest.about["migrations"] = older


def rows_of(repository: Repository, manifest: Manifest, name: str) -> list[list]:
    """The rows of a table but for what each installation draws for itself, where a version before had none."""
    table = manifest.tables[name]
    kept = [n for n, column in enumerate(table["columns"]) if (name, column) not in DRAWN]
    rows = [row for part in manifest.parts_of(name) for row in tables.rows_of(repository.whole(part))]
    return [[row[n] for n in kept] for row in rows]


@pytest.mark.check
@pytest.mark.long
def test_an_older_backup_comes_back_on_another_database_under_its_own_key(
    transactional_db, clinic, clinician, home, tmp_path, migrated
):
    for seed in range(3):
        factories.make_photo(clinic, clinician, seed=seed)
    factories.make_token(clinician)
    (home / "secret_key").write_text(settings.SECRET_KEY)
    key, dest, there = tmp_path / "key", tmp_path / "backups", tmp_path / "there"
    write_new_key(key)
    call_command("backup", dest, begin=True, key_file=key, stdout=io.StringIO())
    repository = Repository(dest, Key.of_text(key.read_text()))
    before = repository.manifest_of(repository.runs()[0])
    older = Manifest.of_bytes(before.to_bytes())
    older.at = "2026-01-01T000000.000Z"
    made_older(repository, older)
    assert len(older.about["migrations"]) < len(before.about["migrations"])
    repository.finish(older, 0, "0.0.9")
    # As the new machine made it for itself: tables of this version, in which nobody has worked.
    migrated(there)
    said = manage(there, "restore", dest, "--at", "2026-01-01", "--key-file", key)
    assert "up to this version" in said and "are back" in said
    assert (there / "secret_key").read_text() == settings.SECRET_KEY
    again = tmp_path / "again"
    manage(there, "backup", again, "--begin")
    before_in, repository = repository, Repository(again)
    after = repository.manifest_of(repository.runs()[0])
    assert {kept.path: kept.sha256 for kept in after.files} == {
        kept.path: kept.sha256 for kept in before.files if kept.path != "secret_key"
    }
    own = {"skinclinic.auditevent", "skinclinic.audithead"}
    assert after.tables.keys() == before.tables.keys()
    for name in before.tables.keys() - own:
        if connection.vendor == "sqlite" or before.tables[name]["rows"]:
            assert after.tables[name]["rows"] == before.tables[name]["rows"], name
            assert rows_of(repository, after, name) == rows_of(before_in, before, name), name
