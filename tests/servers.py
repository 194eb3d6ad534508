"""PostgreSQL, Redis and Chromium for tests: found on this machine, started on free ports, stopped again.

``python -m tests.servers COMMAND…`` runs a command with DATABASE_URL and CELERY_BROKER_URL set to fresh ones.
"""

import contextlib
import fcntl
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO

from tests import hosts


def chromium() -> str | None:
    """The browser: Debian's shell without windows where it is installed, which needs half the time."""
    names = ("chromium-headless-shell", "chromium", "chromium-browser")
    return next(filter(None, map(shutil.which, names)), None)


def nginx() -> str | None:
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")


def redis() -> str | None:
    return shutil.which("redis-server")


def postgresql() -> Path | None:
    """The folder of PostgreSQL's programs (Debian keeps them off the PATH), newest version first."""
    if found := shutil.which("initdb"):
        return Path(found).parent
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)
    return versions[0].parent if versions else None


# A locked file for each port this process was given, while it lives.
_given: list[IO[str]] = []


def free_port() -> int:
    """A port that is this process's alone: nobody listens on it, no other test is given it, and it is none of those
    the system gives to whoever asks for any (as Django's live server does) before what is started here takes it."""
    folder = Path(tempfile.gettempdir(), f"skinclinic-ports-{os.geteuid()}")
    folder.mkdir(exist_ok=True)
    while True:
        port = secrets.choice(range(12_000, 30_000))
        mark = (folder / str(port)).open("w")
        with contextlib.suppress(OSError), socket.socket() as probe:
            fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
            probe.bind(("127.0.0.1", port))
            _given.append(mark)
            return port
        mark.close()


def wait_for(port: int, seconds: float = 30, address: str = "127.0.0.1") -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection((address, port), 1):
            return
        time.sleep(0.05)
    raise TimeoutError(f"nothing listens on port {port}")


def _as_postgres(command: list[str]) -> list[str]:
    """PostgreSQL refuses to run as root; Debian's package made a user for it."""
    return ["runuser", "-u", "postgres", "--", *command] if os.geteuid() == 0 else command


class PostgreSQL:
    """A fresh PostgreSQL in this folder: stopped and started at will."""

    def __init__(self, folder: str, synchronous: bool):
        self.folder, self.port, self.synchronous = folder, free_port(), synchronous
        self.url = f"postgres://postgres@127.0.0.1:{self.port}/postgres"
        self._data, programs = f"{folder}/data", postgresql()
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres")
        self._run(f"{programs}/initdb", "-D", self._data, "-A", "trust", "-U", "postgres", "-E", "UTF8")
        with open(f"{self._data}/pg_hba.conf", "a") as rules:
            rules.write(f"host all all {hosts.RANGE} trust\n")
        self._control = [f"{programs}/pg_ctl", "-D", self._data, "-w", "-l", f"{folder}/log"]

    def start(self, environment: Mapping[str, str] | None = None) -> None:
        """``environment``: of its processes, such as that of a clock."""
        # No power fails here; the rest is as docker/ has it.
        kept = "on" if self.synchronous else "off"
        options = (
            f"-p {self.port} -k {self.folder} -c listen_addresses=* -c max_connections=80 -c jit=off"
            f" -c fsync=off -c synchronous_commit={kept} -c full_page_writes={kept} -c autovacuum=off"
        )
        # As its own user: what is loaded before all else leaves files behind that belong to whoever began.
        own = [f"{name}={value}" for name, value in (environment or {}).items()]
        self._run("env", *own, *self._control, "-o", options, "start")

    def stop(self) -> None:
        """At once, as when its machine is lost; what was committed is there when it starts again."""
        self._run(*self._control, "-m", "immediate", "stop", check=False)

    def kill(self) -> None:
        """All its processes at once, as when the power fails."""
        mother = int(Path(self._data, "postmaster.pid").read_text().split()[0])
        # It starts none while it is stopped.
        os.kill(mother, signal.SIGSTOP)
        processes = [*self.backends(), mother]
        for pid in processes:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        while not {_state(pid) for pid in processes} <= {"", "Z"}:
            time.sleep(0.02)
        # The number of one whose end nobody has asked for yet is taken; after a power cut it is not.
        for named in (Path(self._data, "postmaster.pid"), *Path(self.folder).glob(".s.PGSQL.*.lock")):
            named.unlink()

    def is_running(self) -> bool:
        try:
            mother = int(Path(self._data, "postmaster.pid").read_text().split()[0])
        except FileNotFoundError:
            return False
        return _state(mother) not in ("", "Z")

    def backends(self) -> list[int]:
        """The processes that its first one has started."""
        mother = int(Path(self._data, "postmaster.pid").read_text().split()[0])
        return [int(pid) for pid in Path(f"/proc/{mother}/task/{mother}/children").read_text().split()]

    def _run(self, *command: str, check: bool = True) -> None:
        subprocess.run(_as_postgres(list(command)), check=check, stdout=subprocess.DEVNULL, cwd=self.folder)


def _state(pid: int) -> str:
    """Of a process: "Z" for one that has ended and whose end nobody has asked for; "" where there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return ""


@contextlib.contextmanager
def postgresql_process(synchronous: bool = True, folder: Path | None = None) -> Iterator[PostgreSQL]:
    """Run a fresh PostgreSQL; gives the server. ``synchronous``: what was committed outlives its sudden end.
    ``folder``: an empty one, where it is not to be one of its own."""
    with (
        contextlib.nullcontext(str(folder)) if folder else tempfile.TemporaryDirectory(prefix="pg-") as there
    ):
        server = PostgreSQL(there, synchronous)
        server.start()
        try:
            yield server
        finally:
            server.stop()


@contextlib.contextmanager
def postgresql_server() -> Iterator[str]:
    """The same; gives its DATABASE_URL."""
    with postgresql_process(synchronous=False) as server:
        yield server.url


@contextlib.contextmanager
def redis_server(port: int | None = None) -> Iterator[str]:
    """Run a fresh Redis without persistence; gives its URL."""
    port = port or free_port()
    with redis_process(port):
        yield f"redis://127.0.0.1:{port}/0"


@contextlib.contextmanager
def redis_process(
    port: int, address: str = "127.0.0.1", folder: Path | None = None
) -> Iterator[subprocess.Popen]:
    """The same; gives the process, which may be frozen and stopped. ``address``: of this machine, where it listens;
    ``folder``: where it writes what it is told to keep."""
    server = subprocess.Popen(
        [
            redis(), "--port", str(port), "--save", "", "--appendonly", "no", "--protected-mode", "no", "--bind",
            *sorted({"127.0.0.1", address}), *(["--dir", str(folder)] if folder else []),
        ],
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        wait_for(port)
        yield server
    finally:
        if server.poll() is None:
            server.send_signal(signal.SIGCONT)
            server.terminate()
        server.wait(60)


def main() -> int:
    if not (postgresql() and redis()):
        print("skipped: the tests on PostgreSQL and Redis, which are not installed here")
        return 1 if os.environ.get("CI") else 0
    with postgresql_server() as database, redis_server() as broker:
        environment = os.environ | {
            "DATABASE_URL": database,
            "CELERY_BROKER_URL": broker,
            "SKINCLINIC_EMBEDDED": "1",
        }
        return subprocess.run(sys.argv[1:], env=environment).returncode


if __name__ == "__main__":
    sys.exit(main())
