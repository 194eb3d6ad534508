"""Rows and files that the tests of a module begin with: made once, and as good as new for each test.

A fixture of the module makes them inside ``standing.building()`` and keeps them by name; each test is given a copy::

    @pytest.fixture(scope="module")
    def stock(standing):
        with standing.building():
            clinic = factories.make_clinic("Hanok Dermatology")
            standing.keep(clinic=clinic, photos=many_photos(clinic))

    @pytest.fixture
    def photos(stock, given):
        return given["photos"]

``clinic`` and the people of tests/conftest.py are the kept ones, if a test uses any. The rows lie in a transaction that
stays open for the module, and each test in a savepoint of it. Tests that use none of this run after those that do and
see nothing of it; only they can have real transactions.
"""

import copy
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from django.db import transaction
from django.test.utils import override_settings

from tests.folders import exported, folders_of

# Larger files than this are shared with the tests instead of copied: networks, which nothing writes into.
COPIED_BYTES = 1_000_000

_open: list["Standing"] = []


class Standing:
    def __init__(self, home: Path, cache: Path, blocker):
        self.home, self._blocker, self._stack = home, blocker, ExitStack()
        self._folders = folders_of(home, cache)
        self.kept: dict[str, object] = {}
        self.is_over = False

    @contextmanager
    def building(self) -> Iterator[Path]:
        """Work on the database and below a home of the module, which it gives."""
        assert not self.is_over, "a test without standing rows ran before one with them"
        with self._blocker.unblock(), override_settings(**self._folders):
            if self not in _open:
                self._begin()
            yield self.home

    def _begin(self) -> None:
        atomic = transaction.atomic()
        # Product code may ask for a transaction of its own inside it, as in any test.
        atomic._from_testcase = True
        self._stack.enter_context(atomic)
        self._stack.callback(transaction.set_rollback, True)
        _open.append(self)

    def keep(self, **values: object) -> None:
        self.kept |= values

    def copy_files(self, home: Path) -> None:
        """Put the module's files into the home of one test."""

        def put(source: str, target: str) -> None:
            (shutil.copyfile if os.stat(source).st_size < COPIED_BYTES else os.link)(source, target)

        shutil.copytree(self.home, home, copy_function=put, dirs_exist_ok=True)

    def end(self) -> None:
        self.is_over = True
        if self in _open:
            _open.remove(self)
            with self._blocker.unblock():
                self._stack.close()


@pytest.fixture(scope="module")
def standing(django_db_setup, django_db_blocker, tmp_path_factory) -> Iterator[Standing]:
    home = tmp_path_factory.mktemp("standing")
    here = Standing(home, exported(tmp_path_factory), django_db_blocker)
    yield here
    here.end()


@pytest.fixture
def given(standing, db) -> dict:
    """What the module keeps, as it was then, whatever earlier tests did to theirs."""
    return copy.deepcopy(standing.kept)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the tests of a module that use its rows run before those that must not see them."""
    modules = {}
    for item in items:
        modules.setdefault(item.path, len(modules))
    items.sort(key=lambda item: (modules[item.path], "standing" not in item.fixturenames))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    if "standing" not in item.fixturenames:
        for standing in _open:
            standing.end()
