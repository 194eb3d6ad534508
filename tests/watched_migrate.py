"""``python -m tests.watched_migrate``: ``migrate`` of the database of DATABASE_URL that also prints, in lines that
begin with ``LATE``, what a migration locked and had not locked at its begin (``management/while_serving.py``)."""

import os
from typing import Any

# Those that keep others from writing, by how much they keep from them.
STRONG = ("ShareLock", "ShareRowExclusiveLock", "ExclusiveLock", "AccessExclusiveLock")
HELD = """
    SELECT c.relname, l.mode FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
    WHERE l.pid = pg_backend_pid() AND l.granted AND c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
"""


def held(connection: Any) -> dict[str, int]:
    """{table: the place in STRONG of the strongest lock that this connection has on it}."""
    strongest: dict[str, int] = {}
    with connection.cursor() as cursor:
        cursor.execute(HELD)
        for table, mode in cursor.fetchall():
            if mode in STRONG:
                strongest[table] = max(strongest.get(table, -1), STRONG.index(mode))
    return strongest


def main() -> None:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "skinclinic.settings")
    django.setup()
    from django.core.management import call_command

    from skinclinic.management import while_serving

    class Watched(while_serving.Executor):
        def apply_migration(self, state: Any, migration: Any, *args: Any, **kwargs: Any) -> Any:
            apply = migration.apply

            def watched(project_state: Any, editor: Any, collect_sql: bool = False) -> Any:
                # Called when what is taken at the begin is taken. Nobody waits for tables that are new.
                there = editor.connection.introspection.table_names()
                before = held(editor.connection)
                done = apply(project_state, editor, collect_sql)
                while editor.deferred_sql:  # keys and indexes, else made when the editor ends
                    editor.execute(editor.deferred_sql.pop(0), None)
                for table, mode in sorted(held(editor.connection).items()):
                    if table in there and mode > before.get(table, -1):
                        print(f"\nLATE {migration}: {table}, {STRONG[mode]}", flush=True)
                return done

            if migration.atomic:
                migration.apply = watched
            return super().apply_migration(state, migration, *args, **kwargs)

    while_serving.Executor = Watched
    call_command("migrate", "--no-input")


if __name__ == "__main__":
    main()
