"""Which set a test belongs to, and what it needs that not every machine has.

A test is put into its set by its fixtures and its folder, so that nobody has to remember a mark:

- ``check``: needs a server, a browser, a worker process, R or the like, or measures time; ``make check`` alone runs it.
- ``database``: works on the database; ``make check`` runs it again on PostgreSQL and Redis, but for those marked as
  ``alike``.

Everything without ``check`` is what ``make test`` runs.
"""

import os
import shutil
from pathlib import Path

import pytest

PHOTOS = os.environ.get("SKINCLINIC_TEST_PHOTOS", "")
BY_FIXTURE = {"engine": "engine", "chromium": "browser", "real_photos": "photos", "live_server": "check"}
BY_FOLDER = {"benchmarks": "benchmarks", "browser": "browser", "faults": "engine"}
# What only some machines have, or what takes a quiet one.
BEYOND_TEST = {
    "photos", "servers", "nginx", "compose", "systemd", "gettext", "promtool", "r", "browser", "engine", "gpu",
    "benchmarks", "bucket", "hosts", "oidc", "dicom", "faketime",
}  # fmt: skip
DATABASE_FIXTURES = {"db", "transactional_db", "django_db_reset_sequences", "live_server"}


def pytest_itemcollected(item: pytest.Item) -> None:
    fixtures = set(item.fixturenames)
    names = {mark for fixture, mark in BY_FIXTURE.items() if fixture in fixtures}
    names |= {mark for folder, mark in BY_FOLDER.items() if f"tests/{folder}/" in item.nodeid}
    if fixtures & DATABASE_FIXTURES or item.get_closest_marker("django_db"):
        names.add("database")
    names |= {mark.name for mark in item.iter_markers()}
    if names & BEYOND_TEST:
        names.add("check")
    for name in names - {mark.name for mark in item.iter_markers()}:
        item.add_marker(name)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out GPU tests where there is no GPU (nothing to skip: they are for another machine), and name what other
    tests lack here."""
    from django.conf import settings

    if "sqlite3" in settings.DATABASES["default"]["ENGINE"]:
        # `make check` runs the database's tests on PostgreSQL as well, and these are run then.
        items[:] = [item for item in items if not item.get_closest_marker("postgresql")]
    if os.environ.get("SKINCLINIC_TEST_GPU") != "1":
        # Asked of the marks: the folder tests/gpu is among an item's keywords, too.
        items[:] = [item for item in items if not item.get_closest_marker("gpu")]
    reasons = lacking()
    for item in items:
        for mark, reason in reasons.items():
            if item.get_closest_marker(mark):
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.hookimpl(trylast=True, specname="pytest_collection_modifyitems")
def pytest_begin_with_the_longest(items: list[pytest.Item]) -> None:
    """Files with workers first, which mostly wait; what else there is runs beside them. Then those marked as long and
    the large ones: no process is left with one when the others have ended."""
    size = {path: path.stat().st_size for path in {item.path for item in items}}
    items.sort(
        key=lambda item: (
            item.get_closest_marker("engine") is None, item.get_closest_marker("long") is None,
            -size[item.path], item.path,
        )
    )  # fmt: skip


def lacking() -> dict[str, str]:
    """Why tests with a mark cannot run here."""
    from tests import bucket, clocks, hosts, orthanc, peers, servers

    reasons = {
        "photos": (PHOTOS, "SKINCLINIC_TEST_PHOTOS names no folder of real photos"),
        "browser": (servers.chromium(), "Chromium is not installed"),
        "servers": (servers.postgresql() and servers.redis(), "PostgreSQL or Redis is not installed"),
        "bucket": (not bucket.lacking(), "Ceph's radosgw is not installed"),
        "nginx": (servers.nginx(), "nginx is not installed"),
        "faketime": (clocks.library(), "libfaketime is not installed"),
        "hosts": (not hosts.lacking(), hosts.lacking()),
        "compose": (shutil.which("docker-compose"), "docker-compose is not installed"),
        "systemd": (shutil.which("systemd-analyze"), "systemd-analyze is not installed"),
        "promtool": (shutil.which("promtool"), "promtool (Debian's prometheus) is not installed"),
        "gettext": (shutil.which("xgettext"), "gettext is not installed"),
        "oidc": (peers.oidc_provider(), "npm's oidc-provider is not installed: npm ci --prefix tests/oidc"),
        "dicom": (
            orthanc.is_installed() and shutil.which("dciodvfy"),
            "Orthanc, its DICOMweb plugin or dicom3tools is not installed",
        ),
        "r": (peers.r_with_proc(), "R with pROC is not installed"),
    }
    return {mark: reason for mark, (found, reason) in reasons.items() if not found}


@pytest.fixture(scope="session")
def real_photos() -> Path:
    """The folder of real photos (metadata.csv, images/)."""
    return Path(PHOTOS)
