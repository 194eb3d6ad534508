"""A store that speaks S3, for tests: Ceph's own (radosgw over one monitor and one OSD in memory, Debian's packages).

Everything lies below one folder and ends with the block. ``address`` may be one of a network namespace.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.servers import free_port

PROGRAMS = ("ceph-mon", "ceph-osd", "radosgw", "radosgw-admin", "ceph", "monmaptool")
# Of sse=aws:kms, which it has; it takes sse=AES256 and encrypts nothing.
SSE_KEY = "tests"
KEY_ID, SECRET, BUCKET = "skinclinic", "a-secret-of-the-tests", "photos"

_SETTINGS = """[global]
fsid = {fsid}
mon host = [v1:{address}:{mon}/0]
mon initial members = a
public addr = {address}
cluster addr = {address}
ms bind msgr2 = false
auth cluster required = none
auth service required = none
auth client required = none
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pgp num = 1
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
mon max pg per osd = 1000
mon data avail crit = 1
osd objectstore = memstore
memstore device bytes = 1073741824
osd max object name len = 256
osd max object namespace len = 64
paxos propose interval = 0.05
paxos min wait = 0.01
mon data = {folder}/mon
osd data = {folder}/osd
rgw data = {folder}/rgw
run dir = {folder}
admin socket = {folder}/$name.$pid.asok
log file = {folder}/$name.log
rgw frontends = beast endpoint={address}:{port} tcp_nodelay=1
rgw thread pool size = 32
rgw crypt require ssl = false
rgw crypt s3 kms backend = testing
rgw crypt s3 kms encryption keys = {sse_key}=a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s=
"""


def lacking() -> list[str]:
    """The programs that are not installed."""
    return [name for name in PROGRAMS if not shutil.which(name)]


@dataclass(frozen=True)
class Store:
    """``endpoint``: where it speaks S3, with KEY_ID and SECRET, who own everything."""

    endpoint: str

    def make_bucket(self, name: str = BUCKET) -> str:
        """An empty private bucket; gives its PHOTO_STORAGE."""
        self.client().create_bucket(Bucket=name)
        return f"s3://{name}/home?endpoint={self.endpoint}"

    def client(self):
        import boto3

        return boto3.client(
            "s3", endpoint_url=self.endpoint, aws_access_key_id=KEY_ID, aws_secret_access_key=SECRET,
            region_name="us-east-1",
        )  # fmt: skip


class _Ceph:
    """Its processes below one folder, on ports of their own."""

    def __init__(self, address: str, inside: tuple[str, ...]):
        self.address, self.inside, self.port = address, inside, free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="rgw-"))
        self.monitor, self.fsid = f"[v1:{address}:{free_port()}]", str(uuid.uuid4())
        self.environment = os.environ | {"CEPH_CONF": f"{self.folder}/ceph.conf"}
        self.running: list[subprocess.Popen] = []
        self.deadline = time.monotonic() + 300
        for name in ("mon", "osd", "rgw"):
            (self.folder / name).mkdir()
        mon = self.monitor.rpartition(":")[2].rstrip("]")
        (self.folder / "ceph.conf").write_text(
            _SETTINGS.format(
                fsid=self.fsid, address=address, mon=mon, port=self.port, folder=self.folder, sse_key=SSE_KEY
            )
        )

    def do(self, *command: str) -> str:
        """What a command says, which is given again while its server does not know enough yet."""
        while True:
            done = subprocess.run(
                [*self.inside, *command], env=self.environment, capture_output=True, text=True, timeout=300
            )
            if done.returncode == 0:
                return done.stdout
            if time.monotonic() > self.deadline:
                raise RuntimeError(f"{' '.join(command)}: {done.stderr}")
            time.sleep(0.2)

    def start(self, *command: str) -> subprocess.Popen:
        process = subprocess.Popen(
            [*self.inside, *command, "--foreground", "--setuser", "root"], env=self.environment,
            start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self.running.append(process)
        return process

    def begin(self) -> None:
        monmap, osd = f"{self.folder}/monmap", str(uuid.uuid4())
        self.do(
            "monmaptool", "--create", "--clobber", "--fsid", self.fsid, "--addv", "a", self.monitor, monmap
        )
        self.do("ceph-mon", "--mkfs", "-i", "a", "--monmap", monmap, "--setuser", "root")
        self.start("ceph-mon", "-i", "a")
        self.do("ceph", "--connect-timeout", "20", "osd", "new", osd)
        self.do("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", osd, "--monmap", monmap, "--setuser", "root")
        self.do("ceph", "osd", "crush", "add", "osd.0", "1.0", "root=default", "host=here")
        process = self.start("ceph-osd", "-i", "0")
        while " 1 up" not in self.do("ceph", "osd", "stat"):
            self.wait("the OSD comes up")
            if process.poll() is not None:
                # It asked the monitor before that knew it.
                process = self.start("ceph-osd", "-i", "0")
        self.start("radosgw", "-n", "client.rgw")
        self.do("curl", "-sf", "-o", "/dev/null", f"http://{self.address}:{self.port}/")
        self.do(
            "radosgw-admin", "user", "create", "--uid", "skinclinic", "--display-name", "SkinClinic",
            "--access-key", KEY_ID, "--secret", SECRET,
        )  # fmt: skip

    def wait(self, what: str) -> None:
        if time.monotonic() > self.deadline:
            raise TimeoutError(f"not within a minute: {what}; its logs: {self.folder}")
        time.sleep(0.1)

    def end(self) -> None:
        for process in reversed(self.running):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


@contextlib.contextmanager
def radosgw(address: str = "127.0.0.1", inside: tuple[str, ...] = ()) -> Iterator[Store]:
    """Run it; ``inside``: a command that has another run in a network namespace, where ``address`` is."""
    if missing := lacking():
        raise RuntimeError(f"not installed: {', '.join(missing)} (apt-get install radosgw ceph-mon ceph-osd)")
    ceph = _Ceph(address, inside)
    try:
        ceph.begin()
        yield Store(f"http://{address}:{ceph.port}")
    finally:
        ceph.end()
