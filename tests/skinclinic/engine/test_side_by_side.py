"""What several processes make together. They are forked from a process of its own, which holds nothing else."""

import json
import os
import subprocess
import sys
from pathlib import Path

from skinclinic.engine import processors as machine
from skinclinic.engine import side_by_side
from tests.cases import each

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = """
import functools, json, multiprocessing, os, signal, sqlite3, threading, time, traceback
import skinclinic.engine.side_by_side as beside

beside.processors = lambda: 3
me = os.getpid()
fork = multiprocessing.get_context("fork")
three, taken = fork.Barrier(3), fork.Event()

def part(place, pause=0.01):
    time.sleep(pause)
    return place, os.getpid(), b"x" * 200_000

def meeting(place):
    if place < 3:
        three.wait(60)
    return part(place)

def killed(place):
    if os.getpid() != me:
        taken.set()
        os.kill(os.getpid(), signal.SIGKILL)
    return part(place)

def broken():
    error = ValueError("no such curve")
    error.add_note("The figure 7 could not be drawn.")
    raise error

def told(makers):
    found = beside.made(makers)
    return [place for place, _process, _bytes in found], len({process for _place, process, _bytes in found})

many = [functools.partial(part, place) for place in range(40)]
# However slow the others begin, there are three.
met = [functools.partial(meeting, place) for place in range(40)]
say = {"many": told(met), "one": told(many[:1]), "none": beside.made([])}
# Another process has taken it before this one has a turn.
with beside.begun([functools.partial(killed, 0), *many[1:5]]) as found:
    taken.wait(60)
    say["killed"] = [place for place, _process, _bytes in found]
try:
    beside.made([*many[:5], broken, *many[5:9]])
except ValueError as error:
    say["broken"] = traceback.format_exception_only(error)
say["left"] = threading.active_count()
waits = threading.Event()
other = threading.Thread(target=waits.wait)
other.start()
say["beside a thread"] = told(many[:4])
waits.set()
other.join()
from django.db import connection
connection.connect()
say["connected"] = told(many[:4])
print(json.dumps(say))
"""


def test_everything_is_made_once_in_its_order_whatever_becomes_of_other_processes(tmp_path):
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "skinclinic.settings", "SKINCLINIC_HOME": str(tmp_path),
    }  # fmt: skip
    ran = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=environment, cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout)
    places, processes = found["many"]
    assert places == list(range(40)) and processes == 3
    assert found["one"] == [[0], 1] and found["none"] == []
    assert found["killed"] == list(range(5))
    assert found["broken"] == ["ValueError: no such curve\n", "The figure 7 could not be drawn.\n"]
    assert found["left"] == 1, "threads are left, beside which nothing may be forked"
    assert found["beside a thread"] == found["connected"] == [list(range(4)), 1]


@each(
    "name, said, processors",
    [
        ("cpu.max", "max 100000", None), ("cpu.max", "200000 100000", 2), ("cpu.max", "150000 100000", 1),
        ("cpu.max", "50000 100000", 1), ("cpu.max", "nonsense", None), ("cpu/cpu.cfs_quota_us", "-1", None),
        ("cpu/cpu.cfs_quota_us", "150000", 1),
    ],
)  # fmt: skip
def test_a_container_has_as_many_processors_as_its_share(tmp_path, monkeypatch, name, said, processors):
    (tmp_path / "cpu").mkdir(exist_ok=True)
    for old in tmp_path.rglob("cpu*"):
        if old.is_file():
            old.unlink()
    (tmp_path / "cpu/cpu.cfs_period_us").write_text("100000")
    (tmp_path / name).write_text(said)
    monkeypatch.setattr(machine, "GROUPS", tmp_path)
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0, 1, 2}, raising=False)
    assert side_by_side.processors() == (processors or 3)
