"""docs/systemd.md, followed: its files, its nginx with TLS, PostgreSQL and Redis by their sockets, and what the units
start. A photo is sent, analysed and fetched through all of it. Without systemd, users and groups; below a folder."""

import contextlib
import http.cookiejar
import json
import os
import re
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg2
import pytest
from django.conf import settings

from tests import servers
from tests.docker import units
from tests.photo_bytes import encoded, lesion

pytestmark = [pytest.mark.servers, pytest.mark.nginx, pytest.mark.engine, pytest.mark.long]

PROGRAM, HOST, ADMIN, PASSWORD = Path(settings.BASE_DIR), "localhost", "ada", "a-long-enough-password-7"


class Machine:
    """A folder that stands for the root of the machine, and the processes started on it."""

    def __init__(self, root: Path, database: str):
        self.root = root
        self.home = root / "var/lib/skinclinic"
        self.web, self.front, self.plain = servers.free_port(), servers.free_port(), servers.free_port()
        self.database = database
        self.running: dict[str, subprocess.Popen] = {}
        for folder in (
            "etc/nginx/tls",
            "etc/nginx/conf.d",
            "etc/redis",
            "etc/skinclinic",
            "run/redis",
            "var/log/nginx",
        ):
            (root / folder).mkdir(parents=True)
        (self.home / "tmp").mkdir(parents=True)
        (root / "etc/redis/redis.conf").write_text(f"port 6379\nsave 900 1\ndir {root}/run/redis\n")

    def here(self, text: str) -> str:
        """What a file or a command names, on this machine."""
        text = text.replace("http://127.0.0.1:8000", f"http://127.0.0.1:{self.web}")
        text = text.replace("/opt/skinclinic", "\0").replace("\0/.venv/bin", str(Path(sys.executable).parent))
        text = re.sub(
            r"(?<![\w.])/(?=(?:etc|run|var/lib/skinclinic|var/log)/|var/lib/skinclinic\b)",
            f"{self.root}/",
            text,
        )
        return text.replace("\0", str(PROGRAM))

    def follow(self, *steps: int) -> None:
        """Do what the guide says in these steps, but to users, groups and services."""
        left_out = ("adduser", "chown", "runuser", "systemctl", "nginx -t", "rm -f")
        words = ["set -euo pipefail", f"export SKINCLINIC_HOST={HOST}"]
        for step in steps:
            commands = [command for command in units.guide(step) if not command.startswith(left_out)]
            words += [self.here(command.replace(" -o root -g skinclinic", "")) for command in commands]
        done = subprocess.run(["bash", "-c", "\n".join(words)], capture_output=True, text=True, cwd=PROGRAM)
        assert done.returncode == 0, done.stderr

    @property
    def environment(self) -> dict[str, str]:
        """What /etc/skinclinic/environment sets, with this database, and nothing of the tests."""
        lines = (self.root / "etc/skinclinic/environment").read_text().splitlines()
        told = dict(line.split("=", 1) for line in lines if line.strip() and not line.startswith("#"))
        kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        own = {"DATABASE_URL": self.database, "SKINCLINIC_SHARED_GROUP": "", "SECOND_FACTOR_FOR_ADMINS": "0"}
        return (
            kept | {name: self.here(value) for name, value in told.items()} | own | {"OMP_NUM_THREADS": "1"}
        )

    def manage(self, *words: str, said: str = "") -> subprocess.CompletedProcess:
        command = [sys.executable, "manage.py", *words]
        return subprocess.run(
            command,
            input=said,
            env=self.environment,
            cwd=PROGRAM,
            capture_output=True,
            text=True,
            timeout=300,
        )

    def once(self, name: str) -> None:
        """Run a unit that ends by itself."""
        for words in units.unit(name).commands:
            done = subprocess.run(
                [self.here(word) for word in words],
                env=self.environment,
                cwd=PROGRAM,
                capture_output=True,
                text=True,
            )
            assert done.returncode == 0, done.stderr

    def start(self, name: str) -> None:
        [words] = units.unit(name).commands
        words = [self.here(word).replace("127.0.0.1:8000", f"127.0.0.1:{self.web}") for word in words]
        self.launch(name, words)

    def launch(self, name: str, words: list[str]) -> None:
        with (self.root / f"{name}.log").open("w") as log:
            self.running[name] = subprocess.Popen(
                words, env=self.environment, cwd=PROGRAM, stdout=log, stderr=log, start_new_session=True
            )

    def log(self, name: str) -> str:
        return (self.root / f"{name}.log").read_text()

    def stop(self) -> None:
        for process in self.running.values():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, 9)
            process.wait()


class Visitor:
    """A browser that trusts this machine's certificate and no other."""

    def __init__(self, machine: Machine):
        self.base = f"https://{HOST}:{machine.front}"
        self.jar = http.cookiejar.CookieJar()
        trusted = ssl.create_default_context(cafile=str(machine.root / "etc/nginx/tls/tls.crt"))
        self.opener = urllib.request.build_opener(
            urllib.request.HTTPSHandler(context=trusted), urllib.request.HTTPCookieProcessor(self.jar)
        )

    def ask(self, path: str, data: bytes | None = None, **headers: str) -> tuple[int, dict, bytes]:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        token = next((cookie.value for cookie in self.jar if cookie.name.endswith("csrftoken")), "")
        asked = urllib.request.Request(
            self.base + path, data, named | {"Origin": f"https://{HOST}", "X-CSRFToken": token}
        )
        try:
            answer = self.opener.open(asked, timeout=60)
        except urllib.error.HTTPError as refused:
            answer = refused
        with answer:
            return answer.status, dict(answer.headers), answer.read()


@pytest.fixture
def machine(tmp_path) -> Iterator[Machine]:
    with servers.postgresql_server() as url:
        with contextlib.closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
            cursor.execute("SHOW unix_socket_directories")
            [folder] = cursor.fetchone()
        port = url.rpartition(":")[2].partition("/")[0]
        made = Machine(tmp_path, f"postgres://postgres@:{port}/{folder}/postgres")
        try:
            yield made
        finally:
            made.stop()


def soon(ask: Callable, what: str, seconds: float = 300):
    """The first answer that is one."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            if found := ask():
                return found
        time.sleep(0.2)
    return pytest.fail(what)


def test_a_photo_goes_through_all_the_guide_starts(machine):
    machine.follow(3, 4, 5)
    machine.launch("redis", [servers.redis(), str(machine.root / "etc/redis/redis.conf")])
    nginx = (machine.root / "etc/nginx/conf.d/skinclinic.conf").read_text()
    nginx = nginx.replace("listen 443", f"listen 127.0.0.1:{machine.front}").replace(
        "/etc/nginx", f"{machine.root}/etc/nginx"
    )
    nginx = nginx.replace("listen 80", f"listen 127.0.0.1:{machine.plain}").replace(
        "/var/log", f"{machine.root}/var/log"
    )
    kept = "".join(
        f"{part}_temp_path {machine.root}/{part};"
        for part in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (machine.root / "nginx.conf").write_text(
        f"daemon off; user root; pid {machine.root}/pid; events {{}} http {{ {kept}\n{nginx} }}"
    )
    machine.once("skinclinic-prepare")
    for name in ("skinclinic-web", "skinclinic-worker@analysis", "skinclinic-reconciler"):
        machine.start(name)
    machine.launch(
        "nginx",
        [servers.nginx(), "-c", str(machine.root / "nginx.conf"), "-e", str(machine.root / "error.log")],
    )
    created = machine.manage("create_clinic", "Skin centre", ADMIN, said=f"{PASSWORD}\n")
    assert created.returncode == 0, created.stderr

    visitor = Visitor(machine)
    soon(lambda: visitor.ask("/healthz")[0] == 200, f"no answer\n{machine.log('skinclinic-web')}")
    status, headers, page = visitor.ask("/login/")
    assert "max-age" in headers["Strict-Transport-Security"] and b"Sign in" in page
    form = urllib.parse.urlencode({"username": ADMIN, "password": PASSWORD}).encode()
    visitor.ask("/login/", form)
    photo = encoded(lesion(600, 600), "JPEG")
    boundary = uuid.uuid4().hex
    body = (
        (
            f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="lesion.jpg"\r\n'
            f"Content-Type: image/jpeg\r\n\r\n"
        ).encode()
        + photo
        + f"\r\n--{boundary}--\r\n".encode()
    )
    status, _headers, answer = visitor.ask(
        "/api/photos/", body, Content_Type=f"multipart/form-data; boundary={boundary}"
    )
    assert status == 201, answer
    pk = json.loads(answer)["id"]

    def answered():
        rows = json.loads(visitor.ask(f"/api/analyses/?photo={pk}")[2])["results"]
        return [row for row in rows if row["state"] in ("done", "failed")]

    [analysis] = soon(answered, f"no answer to the photo\n{machine.log('skinclinic-worker@analysis')}")
    # What it found is told after the reader's own impression.
    assert (analysis["state"], analysis["model"], analysis["impression_first"]) == (
        "done",
        "skinclinic-demo",
        True,
    )
    status, headers, image = visitor.ask(f"/photos/{pk}/image")
    assert status == 200 and headers["Content-Type"] == "image/jpeg" and image.startswith(b"\xff\xd8")
    assert headers["Content-Security-Policy"] == "default-src 'none'", "nginx did not send it"

    told = machine.manage("doctor")
    assert "Traceback" not in told.stderr and "PostgreSQL" in told.stdout, told
