"""Orthanc, an image archive, for tests: Debian's, on free ports of this machine, stopped again."""

import json
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests import servers

PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
TITLE = "ARCHIVE"


def program() -> str | None:
    return shutil.which("Orthanc") or shutil.which("Orthanc", path="/usr/sbin")


def is_installed() -> bool:
    return bool(program()) and PLUGIN.exists()


@dataclass(frozen=True)
class Orthanc:
    dicom: int
    http: int

    @property
    def web(self) -> str:
        return f"http://127.0.0.1:{self.http}/dicom-web"

    def asked(self, path: str, method: str = "GET", body: Any = None) -> Any:
        """Its own interface, by which a test sees what it holds."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.http}{path}", data, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            found = answer.read()
        return json.loads(found) if answer.headers["Content-Type"].startswith("application/json") else found

    def empty(self) -> None:
        for patient in self.asked("/patients"):
            self.asked(f"/patients/{patient}", "DELETE")


@contextmanager
def running(folder: Path, **settings: Any) -> Iterator[Orthanc]:
    """``settings``: more of its configuration."""
    server = Orthanc(servers.free_port(), servers.free_port())
    configuration = folder / "orthanc.json"
    said = {
        "StorageDirectory": str(folder / "storage"), "IndexDirectory": str(folder / "index"), "Plugins": [str(PLUGIN)],
        "HttpPort": server.http, "DicomPort": server.dicom, "DicomAet": TITLE, "DicomCheckCalledAet": True,
        "RemoteAccessAllowed": False, "AuthenticationEnabled": False, "DicomWeb": {"Enable": True},
        "ConcurrentJobs": 1, "HttpThreadsCount": 4,
    }  # fmt: skip
    configuration.write_text(json.dumps(said | settings))
    name = program()
    assert name
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([name, str(configuration)], stdout=log, stderr=log)
        try:
            _wait(server, process, folder / "log")
            yield server
        finally:
            process.terminate()
            process.wait(20)


def _wait(server: Orthanc, process: subprocess.Popen[bytes], log: Path) -> None:
    for _try in range(600):
        assert process.poll() is None, log.read_text()
        try:
            server.asked("/system")
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(log.read_text())
