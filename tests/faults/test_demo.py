"""The demo as its user starts it: seeds, serves, restarts what dies, stops on Ctrl-C, reuses everything."""

import contextlib
import re
import sqlite3
from pathlib import Path

import pytest

from skinclinic.engine import jobs
from tests import servers
from tests.engine import wait_until
from tests.faults.started import Started

pytestmark = [pytest.mark.engine, pytest.mark.timeout(2400)]

# All that somebody who tries it is shown, and what is true where the processors are busy.
SAID = re.compile(
    r"everything is written to \S+|making the demo clinic|the demo clinic is there already; .*"
    r"|sign in: \w+ \S{10,}|analysing \d+ photos|read a study of \d+ photos without signing in: http://\S+"
    r"|open http://127\.0\.0\.1:\d+ .*|stopping|"
    r"|\S+ \S+ WARNING skinclinic\.engine\.jobs: broker did not take the wake-up for \w+:"
    r" the broker was not reached within a second"
)


def leave_a_migration_to_do(file: Path) -> None:
    """That of the second factor's table. The others, which take a minute, are tested where they are written."""
    with contextlib.closing(sqlite3.connect(file)) as database, database:
        database.execute("DROP TABLE mfa_authenticator")
        assert database.execute("DELETE FROM django_migrations WHERE app = 'mfa'").rowcount


def tables(file: Path) -> set[str]:
    with contextlib.closing(sqlite3.connect(file)) as database:
        return {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def test_first_and_second_start(home, migrated):
    database = home / "demo" / "skinclinic.sqlite3"
    migrated(home / "demo")
    all_tables = tables(database)
    leave_a_migration_to_do(database)
    first = Started(home, servers.free_port())
    try:
        wait_until(first.serves, 1200, "the demo serves")
        assert tables(database) == all_tables
        names = re.findall(r"^sign in: (\w+) \S{10,}$", first.says(), re.M)
        assert sorted(names) == ["admin", "clinician", "coordinator", "curator"]
        # Also when it is root who starts it, of which Celery would warn for each worker.
        wait_until(lambda: first.queues() == len(jobs.queues()), 600, "the workers are ready")
        assert [line for line in first.says().splitlines() if not SAID.fullmatch(line)] == []
        script = re.search(r'src="(/static/js/theme\.[0-9a-f]{12}\.js)"', first.page("/login/"))[1]
        assert first.page(script)
    finally:
        status = first.stop()
    assert status == 0
    assert not first.answers()

    second = Started(home, servers.free_port())
    try:
        wait_until(second.serves, 600, "the demo serves again")
        assert "sign in:" not in second.says()
    finally:
        assert second.stop() == 0
    written = {path.name for path in (home / "demo").iterdir()}
    assert {"skinclinic.sqlite3", "photos", "cache", "broker"} <= written


def test_a_taken_port_is_said(home):
    port = servers.free_port()
    with servers.socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        demo = Started(home, port)
        assert demo.process.wait(300) == 1
    assert "Choose another: PORT=" in demo.says()
