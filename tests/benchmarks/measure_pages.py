"""What pages cost: processor time of each, pages a second for one and for sixteen people, bytes of a first visit.

``python -m tests.benchmarks.measure_pages HOME [ROUNDS] [-v]``: HOME is the folder of a demo (``make demo`` writes it
to ``SKINCLINIC_HOME``, ``./var``). It is copied, given an archive of 60 photos where it has fewer, and served as the
demo serves it on a free port. Other work on the machine makes pages a second fewer; the processor time is that of the
web processes alone. ``docs/page-costs.md`` says how to read it.
"""

import concurrent.futures
import contextlib
import http.client
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

AT_ONCE = 16
SECONDS = 8
GALLERY = 60
_TICK = os.sysconf("SC_CLK_TCK")


class Page(NamedTuple):
    """A page as one of the demo's people gets it."""

    name: str
    path: str
    cookie: str


def main(home: Path, rounds: int = 60) -> None:
    with tempfile.TemporaryDirectory(prefix="skinclinic-pages-") as folder:
        copy = Path(folder, "home")
        shutil.copytree(home, copy, ignore=shutil.ignore_patterns("tmp", "broker", "static"))
        (copy / "tmp").mkdir()
        os.environ |= {"SKINCLINIC_HOME": str(copy), "DJANGO_SETTINGS_MODULE": "skinclinic.settings"}
        import django

        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        call_command("collectstatic", interactive=False, verbosity=0)
        pages = prepared()
        with served(copy) as (port, master):
            costs(port, master, pages, rounds)
            together(port, pages)
            first_visit(port, pages[0])


def prepared() -> list[Page]:
    """The pages that are measured; the demo's clinic has an archive of 60 photos then."""
    from django.test import Client
    from django.urls import reverse

    from classifier.models import Analysis
    from skinclinic.archive.models import Entry
    from skinclinic.models import Clinic, User
    from tests import archive_crowd

    clinic = Clinic.objects.get(pk=Analysis.objects.filter(job__state="done").values("photo__clinic")[:1])
    curator, clinician = User.objects.get(username="curator"), User.objects.get(username="clinician")
    if (lacking := GALLERY - Entry.objects.filter(clinic=clinic).count()) > 0:
        archive_crowd.fill(clinic, curator, lacking)
    analysis = Analysis.objects.filter(job__state="done", photo__clinic=clinic).order_by("pk").last()

    def cookie(user: User) -> str:
        client = Client()
        client.force_login(user)
        return f"sessionid={client.cookies['sessionid'].value}"

    as_clinician, as_curator = cookie(clinician), cookie(curator)
    return [
        Page("worklist", reverse("worklist") + "?show=all", as_clinician),
        Page("photo", reverse("photo", args=[analysis.photo_id]), as_clinician),
        Page("gallery", reverse("archive"), as_curator),
        Page("studies", reverse("studies"), as_clinician),
        Page("sign-in", reverse("login"), ""),
        Page("healthz", reverse("healthz"), ""),
    ]


@contextlib.contextmanager
def served(home: Path) -> Iterator[tuple[int, int]]:
    """The web processes as ``manage.py demo`` starts them; gives their port and the process above them."""
    from skinclinic.management.commands.demo import Command
    from tests import servers

    port = servers.free_port()
    command = [sys.executable, "-m", "gunicorn", "skinclinic.wsgi", *Command._gunicorn(port, home / "tmp")]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        servers.wait_for(port, 60)
        yield port, process.pid
    finally:
        process.terminate()
        process.wait(30)


def get(port: int, page: Page) -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    headers = {"Cookie": page.cookie} if page.cookie else {}
    connection.request("GET", page.path, headers=headers)
    response = connection.getresponse()
    body = response.read()
    connection.close()
    assert response.status == 200, (page.path, response.status, response.headers.get("Location"))
    return body


def spent(master: int) -> float:
    """Processor time of the web processes so far, in seconds."""
    return sum(map(_ticks, [master, *_children(master)])) / _TICK


def _ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def costs(port: int, master: int, pages: list[Page], rounds: int) -> None:
    """Processor time of each page, the median of five parts of the rounds, which take turns."""
    for page in pages:
        for _time in range(12):  # whatever is made once in each process
            get(port, page)
    taken: dict[str, list[float]] = {page.name: [] for page in pages}
    for _part in range(5):
        for page in pages:
            before = spent(master)
            for _time in range(rounds // 5):
                get(port, page)
            taken[page.name].append((spent(master) - before) / (rounds // 5))
    for page in pages:
        body = get(port, page)
        photos = f", {count} photos" if (count := body.count(b'class="archive-thumb"')) else ""
        print(
            f"{page.name:16} {statistics.median(taken[page.name]) * 1000:6.1f} ms of processor time, "
            f"{len(body) / 1000:6.1f} kB{photos}"
        )


def together(port: int, pages: list[Page]) -> None:
    """Pages a second for one person after another, and for sixteen at once."""
    for page in pages[:3]:
        rates = [_rate(port, page, people) for people in (1, AT_ONCE)]
        print(
            f"{page.name:16} {rates[0]:6.1f} pages a second for 1, {rates[1]:6.1f} for {AT_ONCE} at once: "
            f"{rates[1] / rates[0]:.2f} times"
        )


def _rate(port: int, page: Page, people: int) -> float:
    until = time.monotonic() + SECONDS

    def reader(_number: int) -> int:
        count = 0
        while time.monotonic() < until:
            get(port, page)
            count += 1
        return count

    started = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(people) as pool:
        count = sum(pool.map(reader, range(people)))
    return count / (time.monotonic() - started)


def first_visit(port: int, page: Page) -> None:
    """Bytes on the wire of a browser that has nothing yet: the sign-in page, then the worklist."""
    from tests.benchmarks import wire

    for name, path, cookie in (("sign-in page", "/login/", ""), ("worklist", page.path, page.cookie)):
        for language in ("en", "ko"):
            found = wire.loaded(f"http://127.0.0.1:{port}", path, cookie, language)
            kinds = ", ".join(
                f"{kind} {size / 1000:.0f}" for kind, size in sorted(wire.by_kind(found).items())
            )
            print(f"first visit to the {name}, {language}: {sum(found.values()) / 1000:.0f} kB ({kinds})")
            for address, size in (
                sorted(found.items(), key=lambda one: -one[1])[:10] if "-v" in sys.argv else ()
            ):
                print(f"    {size:7} {re.sub(r'https?://[^/]+', '', address)}")


if __name__ == "__main__":
    asked = [word for word in sys.argv[1:] if word != "-v"]
    asked = asked or [os.environ["SKINCLINIC_MEASURED_DEMO"]]
    main(Path(asked[0]).resolve(), *map(int, asked[1:2]))
