"""Indexes of PostgreSQL for searches that look for letters anywhere in a text (``services/held.py``, ``icontains``,
``istartswith``), or for what an object of texts says.

Those over letters need its extension ``pg_trgm``, which whoever owns the database may create, unless the server forbids
it or lacks it. Without it everything is found all the same, by reading every row. They are made after every
``migrate``, so that an extension that an administrator has created later is taken up by the next; a text of another app
is registered with ``search_in``. On SQLite there are none.
"""

import logging
from dataclasses import dataclass

from django.db import DatabaseError, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper
from django.db.models import Field, Model

from skinclinic.services.held import PAIRS, SAID, SIGNS

log = logging.getLogger(__name__)

EXTENSION = "pg_trgm"
REMEDY = (
    f"As a superuser of the database: CREATE EXTENSION {EXTENSION}; (Debian has it with PostgreSQL, others in the "
    "package postgresql-contrib). Then `manage.py migrate`."
)
# Of {column}, as Django asks for it, and as ``held`` does.
_WORDS = "UPPER({column}::text) gin_trgm_ops"
_PAIRS = f"({PAIRS.format(text='{column}')}) gin_trgm_ops"
_SIGNS = f"({SIGNS.format(text='{column}')})"
_KEYS = "{column}"
_SAID = f"({SAID.format(values='{column}')})"


@dataclass(frozen=True)
class _Index:
    """What is indexed of a column; ``has_text``: only of rows that have any."""

    table: str
    column: str
    what: str
    has_text: bool = False

    @property
    def needs_extension(self) -> bool:
        return "gin_trgm_ops" in self.what


# {name: index}
_indexes: dict[str, _Index] = {}


def search_in(model: type[Model], field: str) -> None:
    """Have a text of a model searched by indexes, be it for many letters, for one or two, or for signs."""
    _add(model, field, "words", _WORDS)
    _add(model, field, "pairs", _PAIRS)
    _add(model, field, "signs", _SIGNS)


def search_in_few(model: type[Model], field: str) -> None:
    """The same of a text that few rows have, and for more than two letters alone: a query has to say that there is a
    text (``FIELD__gt=""``)."""
    _add(model, field, "words", _WORDS, has_text=True)


def search_in_object(model: type[Model], field: str) -> None:
    """Have an object of texts searched by the names that it has, and by what it says under them."""
    _add(model, field, "keys", _KEYS)
    _add(model, field, "said", _SAID)


def _add(model: type[Model], field: str, kind: str, what: str, *, has_text: bool = False) -> None:
    column = model._meta.get_field(field)
    assert isinstance(column, Field) and column.column
    table = model._meta.db_table
    _indexes[f"{table}_{column.column}_{kind}"] = _Index(table, column.column, what, has_text)


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
            [list(_indexes)],
        )
        there = {name for (name,) in cursor.fetchall()}
    return [name for name in _indexes if name not in there]


def make(connection: BaseDatabaseWrapper) -> bool:
    """Make the extension and what is missing, while others read and write. False, with a line in the log, where the
    database does not let it."""
    if connection.vendor != "postgresql":
        return True
    lacking: list[str] = []
    try:
        lacking = missing(connection)
        _make_all(connection, [name for name in lacking if not _indexes[name].needs_extension])
        if not has_extension(connection):
            # In a transaction that is open already, a refusal must not end it.
            with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
                cursor.execute(f"CREATE EXTENSION {EXTENSION}")
        _make_all(connection, [name for name in lacking if _indexes[name].needs_extension])
    except DatabaseError as error:
        log.warning("searches by words read every row: %s. %s", str(error).strip().partition("\n")[0], REMEDY)
        return False
    return True


def _make_all(connection: BaseDatabaseWrapper, names: list[str]) -> None:
    for name in names:
        _make(connection, name)
    # Only then does the database know how often something is said, and whether an index is worth its while.
    for table in dict.fromkeys(_indexes[name].table for name in names):
        with connection.cursor() as cursor:
            cursor.execute(f"ANALYZE {connection.ops.quote_name(table)}")


def _make(connection: BaseDatabaseWrapper, name: str) -> None:
    index, quote = _indexes[name], connection.ops.quote_name
    column = quote(index.column)
    words = f"{quote(name)} ON {quote(index.table)} USING gin ({index.what.format(column=column)})"
    if index.has_text:
        words += f" WHERE {column} > ''"

    def run(cursor: CursorWrapper, beside: str) -> None:
        cursor.execute(f"DROP INDEX {beside} IF EXISTS {quote(name)}")
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
