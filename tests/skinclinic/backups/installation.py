"""A whole installation to compare: every row of every table and every file."""

import shutil
from pathlib import Path

from django.conf import settings
from django.db import connection

from skinclinic.services.backing_up import home, tables

# Nobody gets sessions back; migrations are applied, not restored.
NOT_COMPARED = {"skinclinic_session", "django_migrations"}


def rows() -> dict[str, list[tuple]]:
    """{table: its rows}, as the database itself gives them."""
    found = {}
    with connection.cursor() as cursor:
        for table in sorted(tables.names(connection) - NOT_COMPARED):
            cursor.execute(f'SELECT * FROM "{table}"')
            found[table] = sorted(cursor.fetchall(), key=repr)
    return found


def files() -> dict[str, bytes]:
    """{path: content} of what is saved."""
    seen, _passed = home.scan(with_key=False)
    return {path: (settings.SKINCLINIC_HOME / path).read_bytes() for path in seen}


def make_empty() -> None:
    """As a new installation is: tables without rows, a home without files."""
    connection.disable_constraint_checking()
    there = tables.names(connection) - {"django_migrations"}
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            names = ", ".join(f'"{table}"' for table in sorted(there))
            cursor.execute(f"TRUNCATE {names} RESTART IDENTITY CASCADE")
        else:
            for table in there:
                cursor.execute(f'DELETE FROM "{table}"')
            cursor.execute("DELETE FROM sqlite_sequence")
    connection.enable_constraint_checking()
    for path in Path(settings.SKINCLINIC_HOME).iterdir():
        if path.name != "secret_key":
            shutil.rmtree(path) if path.is_dir() else path.unlink()
