"""Giving a backup back: everything into an empty installation, or files that are missing to one that runs.

Files come first and rows last, in one transaction: what was cut off is an installation without rows, to which the same
backup may be given again.
"""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from django.apps import apps as apps_of_today
from django.apps.registry import Apps
from django.conf import settings
from django.core.management import call_command
from django.db import DEFAULT_DB_ALIAS, connection, transaction
from django.db.migrations.executor import MigrationExecutor

from skinclinic.backups.repository import Damaged, Kept, Manifest, Repository, Run
from skinclinic.files import store, whole
from skinclinic.from_nothing import NewDatabase
from skinclinic.models import Clinic, Patient, User
from skinclinic.services import audit, holdings
from skinclinic.services.backing_up import home, tables
from skinclinic.services.backing_up.making import Say, key_mark
from skinclinic.services.backing_up.snapshot import ALIAS, own_connection
from skinclinic.services.erasing import again, ledger

# A new installation has them before anybody works with it.
_MAY_BE_THERE = "models/"
_SPARE = 64 << 20
_TOLD = 20


class RestoreRefused(Exception):
    """Nothing was changed, or what the message says; it says why and what to do."""


@dataclass
class Restored:
    """What was done. ``erased``: patients of the list of erasures that the backup had brought back."""

    files: int = 0
    rows: int = 0
    damaged: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    erasures: int = 0
    erased: int = 0


def restore(
    repository: Repository,
    run: Run,
    *,
    erasures: Path | None = None,
    despite_damage: bool = False,
    other_key: bool = False,
    say: Say = lambda text: None,
) -> Restored:
    """Give all of it to an empty installation. ``erasures``: a list that was kept elsewhere, newer than that of the
    backup. Raises RestoreRefused, Damaged, OSError."""
    manifest = repository.manifest_of(run)
    lists = [text for text in (_list_of(repository), _read(erasures)) if text]
    _check_version(manifest)
    _check_empty(manifest)
    has_key = _brings_key(manifest)
    if not other_key and not has_key:
        _check_key(manifest)
    done = Restored(damaged=_not_there(repository, manifest))
    _check_rows(repository, manifest)
    _check_damage(done, despite_damage)
    _check_room(manifest)
    for kept in _files(manifest):
        _give(repository, kept, done)
        if done.files % 1000 == 0:
            say(f"files: {done.files:,} of {len(manifest.files):,}")
    _check_damage(done, despite_damage)
    # What a restore before this one had begun when it was killed; nobody else writes here yet.
    whole.sweep(settings.SKINCLINIC_HOME.rglob(f"{whole.DRAFT}*"), after=0)
    os.sync()
    if has_key:
        _take_key(repository, manifest)
    apps = _make_tables(manifest, say)
    done.rows = _load(repository, manifest, apps, say)
    _up_to_date(say)
    for text in lists:
        ledger.take_over(text)
    for _line, counts in again.apply():
        done.erasures += 1
        done.erased += counts.get("patients", 0)
    done.missing = _missing_now()
    for clinic in Clinic.objects.all():
        audit.record("backup.restore", clinic=clinic, facts={"at": run.at})
    return done


def give_back_files(repository: Repository, run: Run) -> Restored:
    """Write those files of the backup that rows of this installation name and that are not there; nothing else is
    touched. Raises Damaged, OSError."""
    saved = {kept.path: kept for kept in repository.manifest_of(run).files}
    done = Restored()
    wanted = {one.path for one in holdings.all_named(DEFAULT_DB_ALIAS)}
    for path in sorted(wanted):
        if not home.is_file(path):
            if path in saved:
                _give(repository, saved[path], done)
            else:
                done.missing.append(path)
    if done.files:
        for clinic in Clinic.objects.all():
            audit.record("backup.files", clinic=clinic, facts={"at": run.at})
    return done


# Before anything is written


def _check_version(manifest: Manifest) -> None:
    executor = MigrationExecutor(connection)
    known = set(executor.loader.disk_migrations)
    if newer := sorted({(app, name) for app, name in manifest.about["migrations"]} - known):
        raise RestoreRefused(
            f"The backup was made by a newer version ({manifest.about['version']}, with the migration "
            f"{'.'.join(newer[-1])}). Install that version or a later one, then restore."
        )


def _check_empty(manifest: Manifest) -> None:
    there = tables.names(connection)
    for model in (User, Clinic, Patient):
        # What a new installation registers of its own, such as the product's models, goes.
        if model._meta.db_table in there and model._base_manager.exists():
            raise RestoreRefused(
                f"This installation is not empty: its table {model._meta.db_table} has rows. A backup is given to an "
                "empty one only: set SKINCLINIC_HOME to an empty folder and DATABASE_URL to an empty database."
            )
    ours = {model._meta.db_table for model in apps_of_today.get_models(include_auto_created=True)}
    saved = {name.replace(".", "_") for name in manifest.tables}
    if strange := sorted(there - ours - saved - {tables.MIGRATIONS}):
        raise RestoreRefused(
            f"The database holds tables of another program ({', '.join(strange[:5])}). Take one of its own."
        )
    saved_sizes = {kept.path: kept.size for kept in manifest.files}
    seen, _passed = home.scan(with_key=False)
    for path, one in seen.items():
        if path != ledger.NAME and not path.startswith(_MAY_BE_THERE) and saved_sizes.get(path) != one.size:
            raise RestoreRefused(
                f"This installation is not empty: {settings.SKINCLINIC_HOME} holds {path}, which is no file of the "
                "backup. Set SKINCLINIC_HOME to an empty folder."
            )


def _brings_key(manifest: Manifest) -> bool:
    """Whether the backup has the file of SECRET_KEY, and this installation lives by such a file."""
    is_ours = _read(settings.SKINCLINIC_HOME / home.SECRET_KEY) == settings.SECRET_KEY
    return is_ours and any(kept.path == home.SECRET_KEY for kept in manifest.files)


def _check_key(manifest: Manifest) -> None:
    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    if manifest.about["secret_key"] not in map(key_mark, keys):
        raise RestoreRefused(
            "SECRET_KEY is not the one of the installation that was saved. Without it second factors cannot be "
            "opened, the audit does not verify, and patients who were erased since cannot be known again. Set it, or "
            "name it in SECRET_KEY_FALLBACKS; if it is lost, say --other-key."
        )


def _not_there(repository: Repository, manifest: Manifest) -> list[str]:
    names = repository.names()
    return [
        f"{what}: the object {repository.name_of(part.sha256)} is missing or cut off"
        for what, part in manifest.parts()
        if names.get(repository.name_of(part.sha256)) != repository.size_of(part.size)
    ]


def _check_rows(repository: Repository, manifest: Manifest) -> None:
    """Some of the rows without the others are no installation."""
    for name in manifest.tables:
        for part in manifest.parts_of(name):
            try:
                for _piece in repository.read(part):
                    pass
            except Damaged as error:
                raise RestoreRefused(
                    f"The backup is damaged: rows of {name}: {error}. Nothing was written. Take another one (--list, "
                    "--at)."
                ) from None


def _check_damage(done: Restored, despite_damage: bool) -> None:
    if done.damaged and not despite_damage:
        more = len(done.damaged) - _TOLD
        lines = [*done.damaged[:_TOLD], *([f"and {more} more"] if more > 0 else [])]
        raise RestoreRefused(
            "The backup is damaged:\n  "
            + "\n  ".join(lines)
            + "\nNo row was written. Take another backup (--list, --at), or give back the rest with --despite-damage."
        )


def _check_room(manifest: Manifest) -> None:
    folder = settings.SKINCLINIC_HOME
    folder.mkdir(parents=True, exist_ok=True)
    disk = os.statvfs(folder)
    free = disk.f_bavail * disk.f_frsize
    ours = [kept for kept in manifest.files if not home.key_of(kept.path)]
    need = sum(kept.size for kept in ours if not (folder / kept.path).exists()) + _SPARE
    if need > free:
        raise RestoreRefused(
            f"Too little room in {folder}: {need / 1e6:,.1f} MB are needed, {free / 1e6:,.1f} MB are free."
        )


# Files


def _files(manifest: Manifest) -> Iterator[Kept]:
    for kept in manifest.files:
        if kept.path not in (home.SECRET_KEY, ledger.NAME):
            yield kept


def _give(repository: Repository, kept: Kept, done: Restored) -> None:
    """Write the file as it was, unless it is there; its hash is that of the backup."""
    target = (settings.SKINCLINIC_HOME / kept.path).resolve()
    if not target.is_relative_to(settings.SKINCLINIC_HOME.resolve()):
        done.damaged.append(f"{kept.path}: it would lie outside of {settings.SKINCLINIC_HOME}")
        return
    if key := home.key_of(kept.path):
        if not _is_object(kept):
            try:
                store.put({key: repository.whole(kept.stored)})
            except Damaged as error:
                done.damaged.append(f"{kept.path}: {error}")
                return
    elif not _is_there(target, kept):
        draft = whole.new_draft(target)
        try:
            with draft.open("xb") as file:
                file.writelines(repository.read(kept.stored))
            os.utime(draft, ns=(kept.changed, kept.changed))
            draft.rename(target)
        except Damaged as error:
            if (text := f"{kept.path}: {error}") not in done.damaged:
                done.damaged.append(text)
            return
        finally:
            whole.remove(draft)
    done.files += 1


def _is_object(kept: Kept) -> bool:
    try:
        with home.open_file(kept.path) as file:
            return hashlib.sha256(file.read()).hexdigest() == kept.sha256
    except FileNotFoundError:
        return False


def _is_there(path: Path, kept: Kept) -> bool:
    try:
        if path.stat().st_size != kept.size:
            return False
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == kept.sha256
    except FileNotFoundError:
        return False


def _take_key(repository: Repository, manifest: Manifest) -> None:
    (kept,) = (kept for kept in manifest.files if kept.path == home.SECRET_KEY)
    key = repository.whole(kept.stored).decode()
    path = settings.SKINCLINIC_HOME / home.SECRET_KEY
    whole.write_whole(path, key)
    path.chmod(0o600)
    # What follows in this process is sealed and read by it.
    settings.SECRET_KEY = key


def _list_of(repository: Repository) -> str:
    """The list of erasures of the newest backup, whichever is given back."""
    for kept in repository.manifest_of(repository.runs()[0]).files:
        if kept.path == ledger.NAME:
            return repository.whole(kept.stored).decode()
    return ""


def _read(path: Path | None) -> str:
    if path is None:
        return ""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""


# Rows


def _make_tables(manifest: Manifest, say: Say) -> Apps:
    """Have exactly the tables of the backup, without rows; gives the models of that time."""
    executor = MigrationExecutor(connection)
    wanted = {(app, name) for app, name in manifest.about["migrations"]} & set(executor.loader.graph.nodes)
    if set(executor.loader.applied_migrations) & set(executor.loader.graph.nodes) != wanted:
        say("making the tables")
        _drop_tables()
        executor = NewDatabase(connection)
        graph = executor.loader.graph
        targets = [key for key in wanted if not any(child.key in wanted for child in _children(graph, key))]
        executor.migrate(sorted(targets))
    graph = executor.loader.graph
    if wanted == set(graph.nodes):
        return apps_of_today
    return executor.loader.project_state(sorted(wanted)).apps


def _children(graph, key):
    return [child for child in graph.node_map[key].children if child.key[0] == key[0]]


def _drop_tables() -> None:
    """Those that a new installation has made for itself; ``_check_empty`` has looked at them."""
    there = tables.names(connection)
    if there:
        quote = connection.ops.quote_name
        cascade = "" if connection.vendor == "sqlite" else " CASCADE"
        connection.disable_constraint_checking()
        try:
            with connection.cursor() as cursor:
                for table in there:
                    cursor.execute(f"DROP TABLE {quote(table)}{cascade}")
        finally:
            connection.enable_constraint_checking()


def _load(repository: Repository, manifest: Manifest, apps: Apps, say: Say) -> int:
    models = tables.models_of(apps)
    total = sum(table["rows"] for table in manifest.tables.values())
    count = 0
    with own_connection() as own:
        own.disable_constraint_checking()
        with transaction.atomic(using=ALIAS):
            with own.cursor() as cursor:
                for table in tables.names(own) - {tables.MIGRATIONS}:
                    cursor.execute(f"DELETE FROM {own.ops.quote_name(table)}")
            for model in models:
                label = model._meta.label_lower
                for part in manifest.parts_of(label):
                    columns = manifest.tables[label]["columns"]
                    count += tables.load(model, columns, repository.whole(part))
                    say(f"rows: {count:,} of {total:,}")
            own.check_constraints()
            tables.set_counters(own, models, manifest.about["counters"])
        if own.vendor == "postgresql":
            with own.cursor() as cursor:
                # The first pages are as quick as those of later days.
                cursor.execute("ANALYZE")
    return count


def _up_to_date(say: Say) -> None:
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        say("bringing the tables up to this version")
        call_command("migrate", verbosity=0, interactive=False)


def _missing_now() -> list[str]:
    return sorted(
        {
            f"{one.path} ({one.row})"
            for one in holdings.all_named(DEFAULT_DB_ALIAS)
            if not home.is_file(one.path)
        }
    )
