"""An operation of migrations: an index on a table that may be large, made while others read and write."""

from contextlib import contextmanager

from django.db.migrations.operations import AddIndex


class AddIndexWhileServing(AddIndex):
    """``AddIndex`` that on PostgreSQL holds nobody up (``CREATE INDEX CONCURRENTLY``), in a migration with
    ``atomic = False``. What an earlier attempt has left half made is removed first."""

    atomic = False

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        connection = schema_editor.connection
        if connection.vendor != "postgresql" or connection.in_atomic_block:
            super().database_forwards(app_label, schema_editor, from_state, to_state)
        elif self.allow_migrate_model(
            connection.alias, model := to_state.apps.get_model(app_label, self.model_name)
        ):
            name = connection.ops.quote_name(self.index.name)
            with _patient(connection):
                schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
                schema_editor.add_index(model, self.index, concurrently=True)


@contextmanager
def _patient(connection):
    """Wait for others as long as it takes, since nobody waits for this (``management/while_serving.py``)."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        former = cursor.fetchone()[0]
        cursor.execute("SET lock_timeout = 0")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT SET_CONFIG('lock_timeout', %s, false)", [former])
