"""A whole site in processes of its own, which break: database, broker, web, workers and two reconcilers, over a home on
a small file system. Either the embedded default (SQLite, messages in a folder) or PostgreSQL and Redis.

``home_on_a_small_disk`` first, then ``Database``, then Django with their environment, then ``Site``.
"""

import contextlib
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

from tests import clocks, servers

ROOT = Path(__file__).resolve().parents[2]
EMBEDDED, SERVERS = "embedded", "servers"
LEASE = 4
DISK_MB, BROKER_DISK_MB = 400, 8


@contextlib.contextmanager
def home_on_a_small_disk() -> Iterator[tuple[Path, bool]]:
    """A home, and whether it has a file system of its own, which can be filled (only root may mount one)."""
    with tempfile.TemporaryDirectory(prefix="skinclinic-faults-") as folder:
        home = Path(folder) / "home"
        home.mkdir(mode=0o700)
        with small_disk(home, DISK_MB) as is_mounted:
            yield home, is_mounted


@contextlib.contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[bool]:
    """Give an empty folder a file system of its own; whether that could be done."""
    mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=700", "tmpfs", str(folder)]
    is_mounted = subprocess.run(mount, capture_output=True).returncode == 0
    try:
        yield is_mounted
    finally:
        if is_mounted:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)


@contextlib.contextmanager
def filled(folder: Path) -> Iterator[None]:
    """No room on the file system of this folder while the block lasts."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (1 << 20, 4096, 1):
            with contextlib.suppress(OSError):
                while file.write(b"\0" * size):
                    pass
    try:
        yield
    finally:
        ballast.unlink()


class Database:
    """What keeps the rows: stopped without a word and started again. SQLite has no process; there it is locked.

    ``own_disk``: PostgreSQL's is a small file system.
    """

    def __init__(self, engine: str, home: Path, stack: contextlib.ExitStack, *, own_disk: bool = False):
        folder = None
        if own_disk and engine == SERVERS:
            home.parent.chmod(0o711)  # its user has to come there
            (folder := home.parent / "postgresql").mkdir()
            stack.enter_context(small_disk(folder, DISK_MB))
        self.server = (
            stack.enter_context(servers.postgresql_process(folder=folder)) if engine == SERVERS else None
        )
        self._file = home / "skinclinic.sqlite3"
        self.url = self.server.url if self.server else f"sqlite:///{self._file}"

    @contextlib.contextmanager
    def away(self) -> Iterator[None]:
        """For as long as the block lasts."""
        if self.server:
            self.server.stop()
            yield
            self.server.start()
            return
        with contextlib.closing(sqlite3.connect(self._file, timeout=60, isolation_level=None)) as there:
            there.execute("BEGIN EXCLUSIVE")
            yield
            there.execute("ROLLBACK")


class Redis:
    """Stopped without a word, and begun again, empty. ``folder``: where it keeps something when it is told to."""

    def __init__(self, folder: Path | None = None) -> None:
        self.port, self._folder = servers.free_port(), folder
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._running = contextlib.ExitStack()

    @property
    def disk(self) -> Path:
        assert self._folder
        return self._folder

    def start(self) -> None:
        self.process = self._running.enter_context(servers.redis_process(self.port, folder=self._folder))

    def kill(self) -> None:
        self.process.kill()

    def stop(self) -> None:
        self.kill()
        self._running.close()


class Folder:
    """The broker of one machine: its folder is gone with all messages, and nothing can be written in its place."""

    url = "embedded://localhost"

    def __init__(self, home: Path) -> None:
        self.folder = home / "broker"

    def start(self) -> None:
        if self.folder.is_file():
            self.folder.unlink()
        self.folder.mkdir(exist_ok=True)

    def kill(self) -> None:
        """There is no process."""

    def stop(self) -> None:
        # Whoever sends at that moment makes it anew.
        while not self.folder.is_file():
            shutil.rmtree(self.folder, ignore_errors=True)
            with contextlib.suppress(OSError):
                self.folder.open("x").close()


class Site:
    """``of_workers``, ``of_web``, ``of_reconcilers``: environment of those that are started from now on."""

    def __init__(self, engine: str, home: Path, database: Database, broker: Redis | Folder):
        self.engine, self.home, self.database, self.broker = engine, home, database, broker
        self.port = servers.free_port()
        self.log = (home.parent / "site.log").open("a")
        self.of_workers: dict[str, str] = {}
        self.of_web: dict[str, str] = {}
        self.of_reconcilers: dict[str, str] = {}
        self.web: subprocess.Popen | None = None
        self.workers: list[subprocess.Popen] = []
        self.reconcilers: list[subprocess.Popen] = []

    @property
    def own_environment(self) -> dict[str, str]:
        return {
            "SKINCLINIC_HOME": str(self.home), "SKINCLINIC_EMBEDDED": "1", "DATABASE_URL": self.database.url,
            "CELERY_BROKER_URL": self.broker.url, "DJANGO_SETTINGS_MODULE": "skinclinic.settings",
            "JOB_LEASE_SECONDS": str(LEASE), "INFERENCE_PRECISION": "f32", "OMP_NUM_THREADS": "1",
            # The limits by the hour would end the uploads before anything breaks.
            "PHOTOS_AN_HOUR": "1000000", "PHOTOS_AN_HOUR_ADDRESS": "1000000",
        }  # fmt: skip

    def begin(self, workers: int = 1) -> None:
        """Everything but the database, which runs; the web answers when this returns."""
        self.broker.start()
        self.begin_web()
        for _number in range(workers):
            self.begin_worker()
        for _twice in range(2):
            self.begin_reconciler()

    def begin_web(self) -> None:
        from tests import web_image

        self.web = self._start(*web_image.gunicorn(self.port, workers=2)[1:], **self.of_web)
        servers.wait_for(self.port, 120)

    def begin_worker(self, **environment: str) -> subprocess.Popen:
        words = ("-m", "celery", "-A", "skinclinic", "worker", "--pool", "solo", "--queues", "analysis")
        quietly = ("--without-gossip", "--without-mingle", "--loglevel", "INFO")
        self.workers.append(self._start(*words, *quietly, **self.of_workers, **environment))
        return self.workers[-1]

    def begin_reconciler(self) -> None:
        self.reconcilers.append(
            self._start("manage.py", "reconcile", "--every", "0.5", **self.of_reconcilers)
        )

    def kill_web(self) -> None:
        assert self.web
        _kill(self.web)
        self.web.wait()

    def kill_worker(self, worker: subprocess.Popen) -> None:
        self.workers.remove(worker)
        _kill(worker)
        worker.wait()

    def kill_everything(self) -> None:
        """As when the power fails: all of them at the same moment, the database as well."""
        processes = [*([self.web] if self.web else []), *self.workers, *self.reconcilers]
        both = threading.Thread(target=self.database.server.kill) if self.database.server else None
        if both:
            both.start()
        self.broker.kill()
        for process in processes:
            _kill(process)
        for process in processes:
            process.wait()
        if both:
            both.join()
        self.workers.clear()
        self.reconcilers.clear()
        self.web = None

    def end(self) -> None:
        """All but the database, at once."""
        for process in (*([self.web] if self.web else []), *self.workers, *self.reconcilers):
            _kill(process)
            process.wait()
        self.workers.clear()
        self.reconcilers.clear()
        self.web = None
        self.broker.stop()
        self.of_workers, self.of_web, self.of_reconcilers = {}, {}, {}
        clocks.tidy()

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """What ``manage.py`` says."""
        return subprocess.run(
            [sys.executable, "manage.py", *words], env=os.environ | self.own_environment, cwd=ROOT,
            capture_output=True, text=True,
        )  # fmt: skip

    def _start(self, *words: str, **environment: str) -> subprocess.Popen:
        return subprocess.Popen(
            [sys.executable, *words], env=os.environ | self.own_environment | environment, cwd=ROOT,
            stdout=self.log, stderr=self.log, start_new_session=True,
        )  # fmt: skip


def _kill(process: subprocess.Popen) -> None:
    """With all that it has started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
