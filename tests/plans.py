"""How PostgreSQL finds rows, asked where there are few of them."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction


@contextmanager
def with_no_index_but(index: str) -> Iterator[None]:
    """Meanwhile ``index`` is the only one of its table, but for those of keys, and neither reading all rows nor sorting
    them is to be thought of: of few rows PostgreSQL takes one index as well as another."""
    with transaction.atomic(), connection.cursor() as cursor:
        for way in ("seqscan", "sort", "bitmapscan"):
            cursor.execute(f"SET LOCAL enable_{way} = off")
        cursor.execute(
            "SELECT other.indexrelid::regclass FROM pg_index wanted JOIN pg_index other USING (indrelid)"
            " WHERE wanted.indexrelid = %s::regclass"
            " AND other.indexrelid <> wanted.indexrelid AND NOT other.indisunique",
            [index],
        )
        cursor.execute(f"DROP INDEX {', '.join(name for (name,) in cursor.fetchall())}")
        yield
        transaction.set_rollback(True)
