"""What pages cost: processor time of each, pages a second for one and for sixteen people, bytes of a first visit.

``python -m tests.benchmarks.measure_pages HOME [ROUNDS] [-v] [--against COMMIT]``: HOME is the folder of a demo
(``make demo`` writes it to ``SKINCLINIC_HOME``, ``./var``). It is copied, given an archive of 60 photos where it has
fewer, and served as the demo serves it on a free port. With ``--against`` the version of that commit serves a copy of
its own beside it, and everything is asked of both in turn, so that before and now come of one run. Other work on the
machine makes pages a second fewer; the processor time is that of the web processes alone. ``docs/page-costs.md`` says
how to read it.
"""

import argparse
import concurrent.futures
import contextlib
import os
import re
import signal
import socket
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from tests.benchmarks import two_versions

AT_ONCE = 16
SECONDS = 8
PARTS = 5
GALLERY = 60
_TICK = os.sysconf("SC_CLK_TCK")


class Page(NamedTuple):
    """A page as one of the demo's people gets it."""

    name: str
    path: str
    cookie: str


class Site(NamedTuple):
    """A version that is served. ``master``: the process above its web processes."""

    version: str
    port: int
    master: int


class Rate(NamedTuple):
    """What readers got in some seconds. ``pages``: a second; ``cost`` and ``asking``: processor time of the web, and of
    who asks, for each page, in seconds; ``busiest``: which part of the web's was that of its busiest process."""

    pages: float
    cost: float
    asking: float
    busiest: float

    def alone(self, processors: int) -> float:
        """Pages a second of people who ask at once, had nobody else any work for these processors: all of them are
        used, but one process uses one."""
        return min(processors / (self.cost + self.asking), 1 / (self.cost * self.busiest))

    def one_by_one(self) -> float:
        """The same of one person after another: who asks and who answers take turns."""
        return 1 / (self.cost + self.asking)


def main(home: Path, rounds: int, *, against: str, is_told: bool) -> None:
    with tempfile.TemporaryDirectory(prefix="skinclinic-pages-") as folder, contextlib.ExitStack() as stack:
        copy = two_versions.copied(home, Path(folder, "now"))
        os.environ |= {"SKINCLINIC_HOME": str(copy), "DJANGO_SETTINGS_MODULE": "skinclinic.settings"}
        import django

        django.setup()
        from django.core.management import call_command
        from django.db import connections

        call_command("migrate", verbosity=0)
        pages = prepared()
        connections.close_all()
        versions = {"now": (two_versions.ROOT, copy)}
        if against:
            tree = stack.enter_context(two_versions.files_of(against))
            versions = {"before": (tree, two_versions.copied(copy, Path(folder, "before")))} | versions
        sites = [
            Site(version, *stack.enter_context(two_versions.served(tree, of_its_own)))
            for version, (tree, of_its_own) in versions.items()
        ]
        costs(sites, pages, rounds)
        together(sites, pages)
        of_machine()
        first_visit(sites[-1], pages[0], is_told=is_told)


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


def get(port: int, page: Page) -> bytes:
    """The page. By a socket alone: whoever asks has no more of the processors than must be."""
    lines = [
        f"GET {page.path} HTTP/1.0",
        f"Host: 127.0.0.1:{port}",
        *([f"Cookie: {page.cookie}"] if page.cookie else []),
    ]
    with socket.create_connection(("127.0.0.1", port), 120) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        parts = []
        while part := connection.recv(1 << 18):
            parts.append(part)
    head, _empty, body = b"".join(parts).partition(b"\r\n\r\n")
    assert head.split(b" ", 2)[1] == b"200", (page.path, head)
    return body


def spent(master: int) -> float:
    """Processor time of the web processes so far, in seconds."""
    return sum(_spent(master).values())


def _spent(master: int) -> dict[int, float]:
    """The same of each process."""
    return {pid: _ticks(pid) / _TICK for pid in (master, *_children(master))}


def _ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def costs(sites: list[Site], pages: list[Page], rounds: int) -> None:
    """Processor time of each page, the median of the parts of the rounds, in which pages and versions take turns."""
    for site in sites:
        for page in pages:
            for _time in range(12):  # whatever is made once in each process
                get(site.port, page)
    taken: dict[tuple[str, str], list[float]] = {}
    for _part in range(PARTS):
        for page in pages:
            for site in sites:
                before = spent(site.master)
                for _time in range(rounds // PARTS):
                    get(site.port, page)
                cost = (spent(site.master) - before) / (rounds // PARTS)
                taken.setdefault((page.name, site.version), []).append(cost)
    for page in pages:
        found = {site.version: statistics.median(taken[page.name, site.version]) * 1000 for site in sites}
        told = ", ".join(f"{ms:6.1f} ms {version}" for version, ms in found.items())
        ratio = f", now ÷ before {found['now'] / found['before']:.2f}" if found.get("before") else ""
        body = get(sites[-1].port, page)
        photos = f", {count} photos" if (count := body.count(b'class="archive-thumb"')) else ""
        print(
            f"{page.name:16} {told} of processor time{ratio}, {len(body) / 1000:6.1f} kB{photos}", flush=True
        )


def together(sites: list[Site], pages: list[Page]) -> None:
    """Pages a second for one person after another, and for sixteen at once."""
    for page in pages[:3]:
        for site in sites:
            one, many = (_rate(site, page, people) for people in (1, AT_ONCE))
            by_time = many.alone(os.cpu_count() or 1) / one.one_by_one()
            print(
                f"{page.name:16} {site.version}: {one.pages:5.1f} pages a second for 1, {many.pages:5.1f} for "
                f"{AT_ONCE} at once: {many.pages / one.pages:.2f} times; by processor time {by_time:.2f} times "
                f"({one.cost * 1000:.1f} and {many.cost * 1000:.1f} ms a page, {many.busiest:.0%} of it in the busiest "
                f"process; who asks {one.asking * 1000:.1f} and {many.asking * 1000:.1f} ms)",
                flush=True,
            )


def of_machine() -> None:
    """How much more of a fixed piece of work all processors do at once than one does: no page can gain more. Those of a
    virtual machine may be two threads of one core, or be busy elsewhere."""
    alone, at_once = (_done(processes) for processes in (1, os.cpu_count() or 1))
    print(
        f"fixed work at once on {os.cpu_count()} processors: {at_once / alone:.2f} times that of one",
        flush=True,
    )


def _done(processes: int) -> int:
    with concurrent.futures.ProcessPoolExecutor(processes) as pool:
        list(pool.map(time.sleep, [0.1] * processes))  # all of them are there
        return sum(pool.map(_work, [time.monotonic() + SECONDS / 2] * processes))


def _work(until: float) -> int:
    """Pieces of work such as pages are made of, until then."""
    pieces = 0
    while time.monotonic() < until:
        rows = [{"name": f"row {number}", "place": number} for number in range(2000)]
        "".join(sorted(f"<td>{row['name']}</td>" for row in rows)).partition("row 7")
        pieces += 1
    return pieces


def _rate(site: Site, page: Page, people: int) -> Rate:
    until = time.monotonic() + SECONDS

    def reader(_number: int) -> int:
        count = 0
        while time.monotonic() < until:
            get(site.port, page)
            count += 1
        return count

    began, before, own = time.monotonic(), _spent(site.master), time.process_time()
    with concurrent.futures.ThreadPoolExecutor(people) as pool:
        count = sum(pool.map(reader, range(people)))
    took, own = time.monotonic() - began, time.process_time() - own
    web = [after - before.get(pid, 0) for pid, after in _spent(site.master).items()]
    return Rate(count / took, sum(web) / count, own / count, max(web) / sum(web))


def first_visit(site: Site, page: Page, *, is_told: bool) -> None:
    """Bytes on the wire of a browser that has nothing yet: the sign-in page, then the worklist."""
    from tests.benchmarks import wire

    for name, path, cookie in (("sign-in page", "/login/", ""), ("worklist", page.path, page.cookie)):
        for language in ("en", "ko"):
            found = wire.loaded(f"http://127.0.0.1:{site.port}", path, cookie, language)
            kinds = ", ".join(
                f"{kind} {size / 1000:.0f}" for kind, size in sorted(wire.by_kind(found).items())
            )
            print(f"first visit to the {name}, {language}: {sum(found.values()) / 1000:.0f} kB ({kinds})")
            for address, size in sorted(found.items(), key=lambda one: -one[1])[:10] if is_told else ():
                print(f"    {size:7} {re.sub(r'https?://[^/]+', '', address)}")


if __name__ == "__main__":
    asked = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    asked.add_argument("home", nargs="?", default=os.environ.get("SKINCLINIC_MEASURED_DEMO"))
    asked.add_argument("rounds", nargs="?", type=int, default=60)
    asked.add_argument("--against", metavar="COMMIT", default="")
    asked.add_argument("-v", dest="is_told", action="store_true")
    found = asked.parse_args()
    # Whoever stops it leaves nothing behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    main(Path(found.home).resolve(), found.rounds, against=found.against, is_told=found.is_told)
