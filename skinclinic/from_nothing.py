"""Migrations of a new database in a fifth of the time: a model that changes is made anew alone.

Django makes, with each model that is added or gets a column, every model anew that stands with it in any relation:
nearly all, hundreds of times over. The tables do not need that. A step that works on rows (``RunPython``) is given
models that are all made anew, and so is what changes a column that others refer to. The tables are the same as those
of an upgraded database, which is migrated as Django does it: ``tests/skinclinic/test_upgrades.py`` compares them.
"""

from typing import Any

from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.state import ModelState, ProjectState


class AloneState(ProjectState):
    """Models of a database that is only now being made. (What it overrides is named so by Django 5.2; under other
    names it would be slow again, and right.)"""

    _is_adding = False

    def add_model(self, model_state: ModelState) -> None:
        self._is_adding = True
        super().add_model(model_state)
        self._is_adding = False

    def add_field(self, *column: Any) -> None:
        self._is_adding = True
        super().add_field(*column)
        self._is_adding = False

    def reload_model(self, app_label: str, model_name: str, delay: bool = False) -> None:
        if "apps" not in self.__dict__:
            return
        if self._is_adding or delay:
            # What says of itself that it is delayed is made anew before anything works on rows.
            self.is_delayed = True
            self._reload({(app_label, model_name)})  # type: ignore[attr-defined]  # Django's hints leave it out
        else:
            del self.__dict__["apps"]

    def reload_models(self, models: Any, delay: bool = True) -> None:
        self.__dict__.pop("apps", None)

    def clone(self) -> ProjectState:
        copied = super().clone()
        copied.__class__ = AloneState
        return copied


class NewDatabase(MigrationExecutor):
    """Begins so where nothing is applied yet; any other database is migrated as Django does."""

    def _create_project_state(self, with_applied_migrations: bool = False) -> ProjectState:
        if self.loader.applied_migrations:
            return super()._create_project_state(with_applied_migrations)  # type: ignore[misc]  # as above
        return AloneState(real_apps=self.loader.unmigrated_apps)
