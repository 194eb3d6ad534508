"""The demo as its user starts it: seeds, serves, restarts what dies, stops on Ctrl-C, reuses everything."""

import re

import pytest

from skinclinic.engine import jobs
from tests import servers
from tests.engine import wait_until
from tests.faults.started import Started

pytestmark = [pytest.mark.engine, pytest.mark.timeout(600)]

# All that somebody who tries it is shown.
SAID = re.compile(
    r"everything is written to \S+|making the demo clinic|the demo clinic is there already; .*"
    r"|sign in: \w+ \S{10,}|analysing \d+ photos|read a study of \d+ photos without signing in: http://\S+"
    r"|open http://127\.0\.0\.1:\d+ .*|stopping|"
)


def test_first_and_second_start(home):
    first = Started(home, servers.free_port())
    try:
        wait_until(first.answers, 300, "the demo serves")
        names = re.findall(r"^sign in: (\w+) \S{10,}$", first.says(), re.M)
        assert sorted(names) == ["admin", "clinician", "coordinator", "curator"]
        # Also when it is root who starts it, of which Celery would warn for each worker.
        wait_until(lambda: first.queues() == len(jobs.queues()), 240, "the workers are ready")
        assert [line for line in first.says().splitlines() if not SAID.fullmatch(line)] == []
        script = re.search(r'src="(/static/js/theme\.[0-9a-f]{12}\.js)"', first.page("/login/"))[1]
        assert first.page(script)
    finally:
        status = first.stop()
    assert status == 0
    assert not first.answers()

    second = Started(home, servers.free_port())
    try:
        wait_until(second.answers, 240, "the demo serves again")
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
        assert demo.process.wait(60) == 1
    assert "Choose another: PORT=" in demo.says()
