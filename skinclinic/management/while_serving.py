"""Migrations beside a version that goes on serving (PostgreSQL): what it writes stays possible, and it is not held up.

The version of before names no column that it does not know, so that a new one must have a default in the database:
Django gives it one while it makes the column and takes it away again; here it stays.

A change of a table waits until everybody has done with it, and everybody else waits behind that. So it waits for
``LOCK_SECONDS`` at most and is tried again after a pause, from the migration that was given up, which left nothing.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper

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
    """Let the block migrate this database in that way; others are left as they are."""
    if connection.vendor != "postgresql":
        yield
        return
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
    migrate: Callable[[], None], say: Callable[[str], None], pause: Callable[[float], None] = time.sleep
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
