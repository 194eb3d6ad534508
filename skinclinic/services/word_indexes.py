"""Indexes of PostgreSQL for searches that look for letters anywhere in a text (``icontains``, ``istartswith``).

They need its extension ``pg_trgm``, which whoever owns the database may create, unless the server forbids it or lacks
it. Without it everything is found all the same, by reading every row. They are made after every ``migrate``, so that
an extension that an administrator has created later is taken up by the next; a text of another app is registered with
``search_in``. On SQLite there are none.
"""

import logging

from django.db import DatabaseError, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper
from django.db.models import Field, Model

log = logging.getLogger(__name__)

EXTENSION = "pg_trgm"
REMEDY = (
    f"As a superuser of the database: CREATE EXTENSION {EXTENSION}; (Debian has it with PostgreSQL, others in the "
    "package postgresql-contrib). Then `manage.py migrate`."
)
# {name of the index: (table, column)}
_texts: dict[str, tuple[str, str]] = {}


def search_in(model: type[Model], field: str) -> None:
    """Have a text of a model searched by an index."""
    column = model._meta.get_field(field)
    assert isinstance(column, Field) and column.column
    _texts[f"{model._meta.db_table}_{column.column}_words"] = (model._meta.db_table, column.column)


def has_extension(connection: BaseDatabaseWrapper) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_extension WHERE extname = %s", [EXTENSION])
        return cursor.fetchone() is not None


def missing(connection: BaseDatabaseWrapper) -> list[str]:
    """The names of indexes that are not there, or were left half made."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid "
            "WHERE indisvalid AND relname = ANY(%s)",
            [list(_texts)],
        )
        there = {name for (name,) in cursor.fetchall()}
    return [name for name in _texts if name not in there]


def make(connection: BaseDatabaseWrapper) -> bool:
    """Make the extension and what is missing, while others read and write. False, with a line in the log, where the
    database does not let it."""
    if connection.vendor != "postgresql":
        return True
    try:
        if not has_extension(connection):
            # In a transaction that is open already, a refusal must not end it.
            with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
                cursor.execute(f"CREATE EXTENSION {EXTENSION}")
        for name in missing(connection):
            _make(connection, name)
    except DatabaseError as error:
        log.warning("searches by words read every row: %s. %s", str(error).strip().partition("\n")[0], REMEDY)
        return False
    return True


def _make(connection: BaseDatabaseWrapper, name: str) -> None:
    table, column = map(connection.ops.quote_name, _texts[name])
    quoted = connection.ops.quote_name(name)
    # As Django asks for it.
    words = f"{quoted} ON {table} USING gin (UPPER({column}::text) gin_trgm_ops)"

    def run(cursor: CursorWrapper, beside: str) -> None:
        cursor.execute(f"DROP INDEX {beside} IF EXISTS {quoted}")
        cursor.execute(f"CREATE INDEX {beside} {words}")

    if connection.in_atomic_block:
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            run(cursor, "")
    else:
        with connection.cursor() as cursor:
            run(cursor, "CONCURRENTLY")


def after_migrate(sender: object, using: str, plan: object = None, **more: object) -> None:
    """A receiver of ``post_migrate``."""
    make(connections[using])
