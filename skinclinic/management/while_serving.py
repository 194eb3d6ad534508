"""Migrations beside a version that goes on serving (PostgreSQL): what it writes stays possible, and it is not held up.

The version of before names no column that it does not know, so that a new one must have a default in the database:
Django gives it one while it makes the column and takes it away again; here it stays.

A change of a table waits until everybody has done with it, and everybody else waits behind that. So it waits for
``LOCK_SECONDS`` at most and is tried again after a pause, from the migration that was given up, which left nothing.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.commands import migrate as command
from django.db import OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.operations import (
    AddField,
    AddIndex,
    AlterField,
    CreateModel,
    DeleteModel,
    RemoveField,
)

from skinclinic.from_nothing import NewDatabase

LOCK_SECONDS = 2
TRIES = 30
_PAUSE_SECONDS = 1.0
# lock_not_available, deadlock_detected
_IN_USE = ("55P03", "40P01")


class KeepsDefaults:
    """Of a schema editor: the default of a column that is added stays in the database."""

    _is_adding = False

    def add_field(self, model: Any, field: Any) -> None:
        self._is_adding = True
        try:
            super().add_field(model, field)  # type: ignore[misc]  # of the editor that this is mixed into
        finally:
            self._is_adding = False

    def skip_default_on_alter(self, field: Any) -> bool:
        return self._is_adding or super().skip_default_on_alter(field)  # type: ignore[misc]  # see above


@contextmanager
def prepared(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Let the block migrate this database in that way; others, which serve nobody meanwhile, without the waiting."""
    of_django: Any = command
    former_executor, of_django.MigrationExecutor = of_django.MigrationExecutor, Executor
    try:
        if connection.vendor == "postgresql":
            with _beside_others(connection):
                yield
        else:
            yield
    finally:
        of_django.MigrationExecutor = former_executor


@contextmanager
def _beside_others(connection: BaseDatabaseWrapper) -> Iterator[None]:
    former: Any = connection.SchemaEditorClass
    connection.SchemaEditorClass = type("Editor", (KeepsDefaults, former), {})
    try:
        with connection.cursor() as cursor:
            cursor.execute(f"SET lock_timeout = '{LOCK_SECONDS}s'")
        yield
    finally:
        connection.SchemaEditorClass = former
        if connection.connection is not None and not connection.in_atomic_block and connection.is_usable():
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = 0")


def tried_again(
    migrate: Callable[[], object], say: Callable[[str], None], pause: Callable[[float], None] = time.sleep
) -> None:
    """Call it until nothing it changes is in use for too long; raises what the last try raised."""
    for left in reversed(range(TRIES)):
        try:
            migrate()
            return
        except OperationalError as error:
            code = getattr(error.__cause__, "pgcode", "") or getattr(error.__cause__, "sqlstate", "")
            if code not in _IN_USE or not left:
                raise
            say(
                f"A table is in use, and nobody is to wait for this longer than {LOCK_SECONDS} s; "
                f"trying again in a moment ({left} tries left)."
            )
            pause(_PAUSE_SECONDS)


class Executor(NewDatabase):
    """Takes every lock of a migration at its begin, the referenced tables first, as those who write do: one that came
    by its locks one after the other, with its work in between, would meet each of them in a deadlock."""

    def apply_migration(
        self, state: Any, migration: Any, fake: bool = False, fake_initial: bool = False
    ) -> Any:
        if migration.atomic and not fake and self.connection.vendor == "postgresql":
            apply = migration.apply

            def locked(project_state: Any, schema_editor: Any, collect_sql: bool = False) -> Any:
                with schema_editor.connection.cursor() as cursor:
                    there = schema_editor.connection.introspection.table_names(cursor)
                    for table, mode in locks(migration, project_state):
                        if table not in there:
                            continue  # of a model without one
                        name = schema_editor.quote_name(table)
                        cursor.execute(f"LOCK TABLE {name} IN {mode} MODE")
                return apply(project_state, schema_editor, collect_sql)

            migration.apply = locked
        return super().apply_migration(state, migration, fake, fake_initial)


def locks(migration: Any, state: Any) -> list[tuple[str, str]]:
    """(table, mode) of what a migration will lock, those first that others refer to."""
    wanted: dict[tuple[str, str], str] = {}
    for operation in migration.operations:
        for key, mode in _locks_of(operation, migration.app_label, state):
            if key in state.models:
                wanted[key] = max(wanted.get(key, ""), mode, key=_MODES.index)
    depths = {key: _depth(state, key) for key in wanted}
    return [
        (state.apps.get_model(*key)._meta.db_table, wanted[key])
        for key in sorted(wanted, key=depths.__getitem__)
    ]


def _locks_of(operation: Any, app: str, state: Any) -> Iterator[tuple[tuple[str, str], str]]:
    """((app, model), mode) of one operation, also of models that are not there yet."""

    def referenced(fields: Iterable[Any], mode: str) -> Iterator[tuple[tuple[str, str], str]]:
        return ((_key(field.remote_field.model, app), mode) for field in fields if field.remote_field)

    if isinstance(operation, CreateModel):
        yield from referenced([field for _name, field in operation.fields], _REFERENCED)
        return
    deletes = isinstance(operation, DeleteModel)
    own = (app, str(operation.name if deletes else getattr(operation, "model_name", "")).lower())
    # One that is changed is changed for all; an index lets others read.
    yield own, "SHARE" if isinstance(operation, AddIndex) else _CHANGED
    if isinstance(operation, AddField | AlterField):
        yield from referenced([operation.field], _REFERENCED)
    # A key that is dropped, also to be made anew, takes from the table it leads to what watches over it there.
    of_own = state.models[own].fields if own in state.models else {}
    dropped = list(of_own) if deletes else []
    if isinstance(operation, AlterField | RemoveField) and operation.name in of_own:
        dropped = [operation.name]
    yield from referenced([of_own[name] for name in dropped], _CHANGED)


_REFERENCED, _CHANGED = "SHARE ROW EXCLUSIVE", "ACCESS EXCLUSIVE"
_MODES = ("", "SHARE", _REFERENCED, _CHANGED)


def _key(model: Any, app: str) -> tuple[str, str]:
    """(app, model) of what a field refers to."""
    if not isinstance(model, str):
        return model._meta.app_label, model._meta.model_name
    if model == "self":
        return "", ""
    label, _dot, name = model.rpartition(".")
    return (label or app).lower(), name.lower()


def _depth(state: Any, key: tuple[str, str], seen: tuple[tuple[str, str], ...] = ()) -> int:
    """How many tables stand one above the other that its rows refer to."""
    above = [
        _key(field.remote_field.model, key[0])
        for field in state.models[key].fields.values()
        if field.remote_field and not field.many_to_many
    ]
    further = [one for one in above if one in state.models and one != key and one not in seen]
    return 1 + max((_depth(state, one, (*seen, key)) for one in further), default=0)
