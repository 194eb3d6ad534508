"""A database of any version can be brought to this one."""

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

pytestmark = pytest.mark.django_db


def squashed():
    """The migrations that stand for several earlier ones."""
    loader = MigrationLoader(None, replace_migrations=False)
    return {key: list(found.replaces) for key, found in loader.disk_migrations.items() if found.replaces}


def test_an_installation_from_before_the_first_version_has_nothing_left_to_apply():
    recorder = MigrationRecorder(connection)
    assert squashed()
    for (app, name), earlier in squashed().items():
        recorder.record_unapplied(app, name)
        for former in earlier:
            recorder.record_applied(*former)
    executor = MigrationExecutor(connection)
    assert executor.migration_plan(executor.loader.graph.leaf_nodes()) == []
    executor.check_replacements()
    assert recorder.applied_migrations().keys() >= squashed().keys()


def test_every_migration_of_a_new_database_is_applied():
    executor = MigrationExecutor(connection)
    assert executor.migration_plan(executor.loader.graph.leaf_nodes()) == []
