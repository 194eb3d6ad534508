"""What breaks under a site while photos are sent to it: each by itself, again and again, in the middle of uploads.

Each fault is a function of a ``Scene``, which counts how often it breaks something; it leaves everything mended.
"""

import contextlib
import os
import resource
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import redis
from django.db import Error, connection

from skinclinic.engine import jobs
from tests import clocks
from tests.engine import wait_until
from tests.faults.site import EMBEDDED, LEASE, SERVERS, Redis, Site, filled
from tests.faults.uploading import Uploads

HOURS = 2 * 3600
PATIENCE = 180


@dataclass
class Scene:
    """``holders()``: names of workers that have, or died with, a photo's job in hand that nobody had before;
    ``done()``: how many are done."""

    site: Site
    uploads: Uploads
    holders: Callable[[], list[str]]
    done: Callable[[], int]
    breaks: int = 0

    def parts(self, times: int) -> Iterator[int]:
        """So many moments (from 1) at which photos are being sent; the last of them come after the last moment."""
        part = self.uploads.count / (times + 1)
        for number in range(1, times + 1):
            self.uploads.at_most = round(part * (number + 0.5))
            enough = round(part * number)
            wait_until(lambda n=enough: len(self.uploads.accepted) >= n, PATIENCE, "photos are accepted")
            self.breaks += 1
            yield number
        self.uploads.at_most = self.uploads.count

    def stopped_with_a_job(self) -> subprocess.Popen:
        """A worker that is stopped while it holds a job; more photos are sent until one is met so. Where there are no
        more, one without."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until and self.done() < self.uploads.count:
            if self._holder():
                for worker in self.site.workers:
                    worker.send_signal(signal.SIGSTOP)
                time.sleep(0.1)
                # What it had said already is done by now.
                holder = self._holder()
                for worker in self.site.workers:
                    if worker is not holder:
                        worker.send_signal(signal.SIGCONT)
                if holder:
                    return holder
            elif self.done() >= len(self.uploads.accepted):
                self.uploads.at_most = min(self.uploads.count, len(self.uploads.accepted) + 4)
            time.sleep(0.005)
        return self.site.workers[0]

    def _holder(self) -> subprocess.Popen | None:
        """A worker that lives and has a job in hand."""
        names = self.holders()
        living = (one for one in self.site.workers if any(name.endswith(f":{one.pid}") for name in names))
        return next(living, None)

    def told(self, *statuses: int, times: int = 3) -> None:
        """Wait until who sends was told one of these so many times more; photos to send are not kept back meanwhile."""

        def count() -> int:
            return sum(self.uploads.told[status] for status in statuses)

        before, self.uploads.at_most = count(), self.uploads.count
        wait_until(lambda: count() >= before + times or self._all_accepted(), 240, f"{statuses} is said")

    def _all_accepted(self) -> bool:
        return len(self.uploads.accepted) == self.uploads.count


def nothing(scene: Scene) -> None:
    """The same photos, undisturbed: what all others are held against."""


def worker_killed(scene: Scene) -> None:
    for _number in scene.parts(3):
        scene.site.kill_worker(scene.stopped_with_a_job())
        scene.site.begin_worker()


def worker_frozen(scene: Scene) -> None:
    """For longer than its lease, with a job in hand; another worker takes that over, and then it goes on."""
    _there(scene.site.begin_worker())
    for _number in scene.parts(2):
        frozen = scene.stopped_with_a_job()
        time.sleep(2 * LEASE)
        frozen.send_signal(signal.SIGCONT)


def web_killed(scene: Scene) -> None:
    for _number in scene.parts(3):
        scene.site.kill_web()
        scene.site.begin_web()


def broker_lost(scene: Scene) -> None:
    """With all messages, for two seconds."""
    for _number in scene.parts(3):
        scene.site.broker.stop()
        time.sleep(2)
        scene.site.broker.start()


def broker_frozen(scene: Scene) -> None:
    assert isinstance(scene.site.broker, Redis)
    for _number in scene.parts(2):
        scene.site.broker.process.send_signal(signal.SIGSTOP)
        time.sleep(8)
        scene.site.broker.process.send_signal(signal.SIGCONT)


def database_away(scene: Scene) -> None:
    """Until whoever sends has been told so a few times: a file that is locked, after 20 seconds."""
    for _number in scene.parts(2):
        with scene.site.database.away():
            scene.told(503)


def database_process_killed(scene: Scene) -> None:
    """One of PostgreSQL's processes, upon which it ends all others and recovers."""
    server = scene.site.database.server
    assert server
    for _number in scene.parts(3):
        with contextlib.suppress(ProcessLookupError):
            os.kill(server.backends()[-1], signal.SIGKILL)


def disk_full(scene: Scene) -> None:
    """That of the home: photos, notes, and with SQLite the database."""
    for _number in scene.parts(2):
        with filled(scene.site.home):
            scene.told(507, 503)


def database_disk_full(scene: Scene) -> None:
    """PostgreSQL's own: first where there is no room for rows, then where there is none for its journal either, without
    which it ends itself, and does not start again until there is room."""
    server = scene.site.database.server
    assert server
    for number in scene.parts(2):
        with filled(Path(server.folder)):
            if number == 2:
                with contextlib.suppress(Error):
                    for _turn in range(60):
                        with connection.cursor() as cursor:
                            cursor.execute("SELECT pg_switch_wal()")
                            cursor.execute("CREATE TABLE journal (n int)")
                            cursor.execute("DROP TABLE journal")
                connection.close()
            scene.told(507, 503, times=6)
        if not server.is_running():
            server.start()  # as systemd and Compose do


def broker_full(scene: Scene) -> None:
    """Redis takes nothing: first for want of memory, then as its own disk is full (where it is told to write, which
    ours are not)."""
    assert isinstance(scene.site.broker, Redis)
    with contextlib.closing(redis.Redis(port=scene.site.broker.port)) as there:
        for number in scene.parts(2):
            if number == 1:
                there.config_set("maxmemory", 1)
                time.sleep(8)
                there.config_set("maxmemory", 0)
            else:
                there.config_set("appendonly", "yes")
                # One that finds no room while it begins its file never writes again (Redis 7.0).
                wait_until(lambda: there.info("persistence")["aof_rewrites"] > 0, 240, "it writes")
                time.sleep(1)
                with filled(scene.site.broker.disk):
                    time.sleep(8)


def worker_without_photos(scene: Scene) -> None:
    """A second worker, on a machine where the photos' volume is not mounted."""
    elsewhere = scene.site.home.parent / "elsewhere"
    elsewhere.mkdir(exist_ok=True)
    for name in ("cache", "broker", "secret_key", "models"):
        with contextlib.suppress(FileExistsError):
            (elsewhere / name).symlink_to(scene.site.home / name)
    _there(scene.site.begin_worker(SKINCLINIC_HOME=str(elsewhere)))
    for _number in scene.parts(1):
        pass


def worker_without_memory(scene: Scene) -> None:
    """One of two workers has, from a moment on, no more memory than it uses."""
    _there(scene.site.begin_worker())
    for _number in scene.parts(1):
        poor = scene.site.workers[0].pid
        status = dict(line.split(":", 1) for line in Path(f"/proc/{poor}/status").read_text().splitlines())
        limit = int(status["VmSize"].split()[0]) * 1024 + (4 << 20)
        resource.prlimit(poor, resource.RLIMIT_AS, (limit, limit))


def clock_of_a_worker(scene: Scene) -> None:
    """One of two workers, and a reconciler, two hours ahead, then as much behind, then right, then ahead again, with
    which the worker dies."""
    clock = _clock(scene)
    scene.site.of_workers = scene.site.of_reconcilers = clock.environment
    wrong = scene.site.begin_worker()
    scene.site.begin_reconciler()
    scene.site.of_workers, scene.site.of_reconcilers = {}, {}
    _there(wrong)
    for _number, ahead in zip(scene.parts(4), (HOURS, -HOURS, 0, HOURS), strict=False):
        clock.set(ahead)
        time.sleep(2)
    scene.breaks += 1
    scene.site.kill_worker(wrong)


def clock_of_the_machine(scene: Scene) -> None:
    """Web, workers, reconcilers (and SQLite, which asks their clock) at once, and the files they have written: ahead,
    back, behind, right."""
    clock, now = _clock(scene), 0
    site = scene.site
    site.end()
    site.of_workers = site.of_reconcilers = site.of_web = clock.environment
    site.begin()
    for _number, ahead in zip(scene.parts(4), (HOURS, 0, -HOURS, 0), strict=False):
        clock.set(ahead)
        written = (site.home / "photos").rglob("*")
        clocks.jumped((path for path in written if path.is_file()), ahead - now)
        now = ahead
        time.sleep(2)


def clock_of_the_database(scene: Scene) -> None:
    """PostgreSQL's machine: ahead, back, behind, right."""
    clock, server = _clock(scene), scene.site.database.server
    assert server
    server.stop()
    server.start(clock.environment)
    for _number, ahead in zip(scene.parts(4), (HOURS, 0, -HOURS, 0), strict=False):
        clock.set(ahead)
        time.sleep(2)
    server.stop()
    server.start()


def power_cut(scene: Scene) -> None:
    """Web, workers, reconcilers, Redis and PostgreSQL killed at the same moment; then all started again."""
    for _number in scene.parts(3):
        scene.stopped_with_a_job()
        scene.site.kill_everything()
        scene.site.broker.stop()
        if scene.site.database.server:
            scene.site.database.server.start()
        scene.site.begin()


def _there(worker: subprocess.Popen) -> None:
    """Wait until this worker has said that it is alive, so that it takes its part."""

    def has_said() -> bool:
        try:
            return any(seen.name.endswith(f":{worker.pid}") for seen in jobs.alive())
        except Error:
            return False

    wait_until(has_said, PATIENCE, "the worker is there")


def _clock(scene: Scene) -> clocks.Clock:
    folder = scene.site.home.parent / "clock"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    scene.site.home.parent.chmod(0o711)  # PostgreSQL's user reads it
    return clocks.Clock(folder)


@dataclass(frozen=True)
class Fault:
    name: str
    run: Callable[[Scene], None]
    engines: tuple[str, ...] = (EMBEDDED, SERVERS)
    needs_disk: bool = False
    needs_clocks: bool = False


FAULTS = (
    Fault("nothing", nothing),
    Fault("worker killed with a job in hand", worker_killed),
    Fault("worker frozen for longer than its lease", worker_frozen),
    Fault("web killed", web_killed),
    Fault("broker lost with all messages", broker_lost),
    Fault("broker frozen for 8 s", broker_frozen, (SERVERS,)),
    Fault("database stopped, or its file locked", database_away),
    Fault("a process of the database killed", database_process_killed, (SERVERS,)),
    Fault("disk of the home full", disk_full, needs_disk=True),
    Fault("disk of the database full", database_disk_full, (SERVERS,), needs_disk=True),
    Fault("broker's memory full, then its disk", broker_full, (SERVERS,), needs_disk=True),
    Fault("a worker without the photos", worker_without_photos),
    Fault("a worker without memory", worker_without_memory),
    Fault("clock of a worker and a reconciler jumps", clock_of_a_worker, (SERVERS,), needs_clocks=True),
    Fault("clock of web, workers, reconcilers jumps", clock_of_the_machine, needs_clocks=True),
    Fault("clock of the database jumps", clock_of_the_database, (SERVERS,), needs_clocks=True),
    Fault("power cut", power_cut),
)
