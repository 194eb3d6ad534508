"""How PostgreSQL finds rows, asked where there are few of them."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction


@contextmanager
def with_no_index_but(index: str) -> Iterator[None]:
    """Meanwhile ``index`` is the only one of its table, and neither reading all rows nor sorting them is to be thought
    of: of few rows PostgreSQL takes one index, also that of the keys, as well as another."""
    with transaction.atomic(), connection.cursor() as cursor:
        for way in ("seqscan", "sort", "bitmapscan"):
            cursor.execute(f"SET LOCAL enable_{way} = off")
        # No plan goes by an index that is not whole yet; those of keys cannot be dropped.
        cursor.execute("SET LOCAL allow_system_table_mods = on")
        cursor.execute(
            "UPDATE pg_index SET indisvalid = false"
            " WHERE indrelid = (SELECT indrelid FROM pg_index WHERE indexrelid = %s::regclass)"
            " AND indexrelid <> %s::regclass",
            [index, index],
        )
        yield
        transaction.set_rollback(True)
