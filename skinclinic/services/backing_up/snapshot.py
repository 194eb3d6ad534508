"""A connection of its own to the database, beside that of everything else."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper

ALIAS = "backup"


@contextmanager
def own_connection() -> Iterator[BaseDatabaseWrapper]:
    """Reached under the name ALIAS by this thread while the block runs."""
    found = connections[DEFAULT_DB_ALIAS].copy(ALIAS)
    # Whatever reads along in an open block of ours is no business of the connection everybody uses.
    connections[ALIAS] = found
    try:
        yield found
    finally:
        found.close()
        del connections[ALIAS]


@contextmanager
def snapshot() -> Iterator[BaseDatabaseWrapper]:
    """All that is read through ALIAS in the block is of one moment; nobody is kept waiting, nothing can be written."""
    with own_connection() as connection:
        with connection.cursor() as cursor:
            if connection.vendor == "sqlite":
                cursor.execute("PRAGMA query_only = ON")
                cursor.execute("BEGIN")
                # The first look at a table is the moment.
                cursor.execute("SELECT COUNT(*) FROM sqlite_master").fetchall()
            else:
                cursor.execute("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
                cursor.execute("SELECT 1 FROM django_migrations LIMIT 1")
        yield connection
        with connection.cursor() as cursor:
            cursor.execute("ROLLBACK")
