"""How PostgreSQL's tables are emptied after a test that commits: rows are deleted where there are any.

Django truncates all of its hundred tables, of which each gets new files, though a test fills a handful.
"""

from collections.abc import Sequence

import pytest
from django.db import connection

# Rows refer to each other in circles, and some may not be deleted: all go, and nothing of the database's is asked.
WITHOUT_RULES, WITH_RULES = "SET session_replication_role = replica", "SET session_replication_role = DEFAULT"


def deleting(tables: Sequence[str]) -> list[str]:
    """The statements that empty these tables."""
    quoted = [connection.ops.quote_name(table) for table in tables]
    asked = " UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM {name})" for name in quoted)
    with connection.cursor() as cursor:
        cursor.execute(asked)
        filled = [name for (name,) in cursor.fetchall()]
    return [WITHOUT_RULES, *(f"DELETE FROM {name}" for name in filled), WITH_RULES] if filled else []


@pytest.fixture(scope="session", autouse=True)
def filled_tables_alone_are_emptied() -> None:
    if connection.vendor == "postgresql":
        connection.ops.sql_flush = lambda style, tables, **options: deleting(tables) if tables else []
