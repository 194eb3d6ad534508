"""What one machine takes: photos and worklists a second, one person after another to more than it can take.

    python -m tests.servers python -m tests.benchmarks.measure_load [SECONDS] [FOLDER OF PHOTOS]

On PostgreSQL and Redis: gunicorn as docker/web.Dockerfile starts it, one worker for photos, reconciler; a clinic of
20,000 cases. Once with the network that comes with the product and once with one that answers at once
(``tests/stubbed_settings.py``). For SECONDS (10) each: 1 to 16 people who send the next photo, or ask for the worklist,
when the one before was answered; then photos, or worklists, that come twice as fast as the most that were answered,
whether or not anybody gets an answer. Told are answers a second, median and 95th percentile of those that were taken,
and what else was said. Each photo that was not taken is sent again until it is; then rows, files and analyses are held
against what was sent: nothing is lost, nothing there twice, or the command ends with an error.

The senders are on the same machine and take their part of its processors.
"""

import http.client
import itertools
import json
import os
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

CASES = 20_000
PEOPLE = (1, 2, 4, 8, 16)
# So many may wait for an answer at a time while more comes than is taken.
MOST_WAITING = 200
WAIT_SECONDS = 60
BOUNDARY = "photo-boundary"


@dataclass
class Said:
    """Answers: seconds of those that were taken, how often each status was said (0: the connection broke)."""

    seconds: list[float] = field(default_factory=list)
    statuses: Counter = field(default_factory=Counter)
    held: threading.Lock = field(default_factory=threading.Lock)

    def note(self, status: int, seconds: float) -> None:
        with self.held:
            self.statuses[status] += 1
            if status in (200, 201):
                self.seconds.append(seconds)


class Photos:
    """Photos that differ: of a few files, each with a comment of its own, so that making them costs nothing. What
    was taken is kept: {number: key}."""

    def __init__(self, port: int, token: str, files: list[bytes]):
        self.port, self.token, self.files = port, token, files
        self.numbers = itertools.count(1)
        self.sent = {0}
        self.taken: dict[int, int] = {}

    def bytes_of(self, number: int) -> bytes:
        comment = f"photo {number}".encode()
        file = self.files[number % len(self.files)]
        return file[:2] + b"\xff\xfe" + struct.pack(">H", len(comment) + 2) + comment + file[2:]

    def next(self) -> int:
        """Send one that nobody has sent; gives the status."""
        number = next(self.numbers)
        self.sent.add(number)
        return self.send(number)

    def send(self, number: int) -> int:
        head = (
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="photo.jpg"\r\n'
            "Content-Type: image/jpeg\r\n\r\n"
        )
        body = head.encode() + self.bytes_of(number) + f"\r\n--{BOUNDARY}--\r\n".encode()
        status, answer = ask(self.port, "POST", "/api/v1/photos/", body, {
            "Content-Type": f"multipart/form-data; boundary={BOUNDARY}", "Authorization": f"Bearer {self.token}",
        })  # fmt: skip
        if status in (200, 201):
            self.taken[number] = json.loads(answer)["id"]
        return status


def ask(port: int, method: str, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
    """Status and body; (0, b"") where the connection broke or nobody answered."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=WAIT_SECONDS)
    try:
        connection.request(method, path, body or None, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    except (OSError, http.client.HTTPException):
        return 0, b""
    finally:
        connection.close()


def one_after_another(work: Callable[[], int], people: int, seconds: float) -> tuple[Said, float]:
    """So many people who do this again when it was answered; what was said, and answers a second."""
    said, until = Said(), time.monotonic() + seconds

    def again() -> None:
        while time.monotonic() < until:
            began = time.monotonic()
            status = work()
            said.note(status, time.monotonic() - began)

    began = time.monotonic()
    _together([threading.Thread(target=again) for _person in range(people)])
    return said, len(said.seconds) / (time.monotonic() - began)


def faster_than_taken(work: Callable[[], int], rate: float, seconds: float) -> tuple[Said, float, int]:
    """So many a second, however many wait; what was said, answers a second, and how many could not even be sent, as
    MOST_WAITING waited."""
    said, left_out = Said(), 0
    free = threading.Semaphore(MOST_WAITING)

    def one(at: float) -> None:
        status = work()
        said.note(status, time.monotonic() - at)
        free.release()

    threads, began = [], time.monotonic()
    for n in range(int(rate * seconds)):
        time.sleep(max(0.0, began + n / rate - time.monotonic()))
        if not free.acquire(blocking=False):
            left_out += 1
            continue
        thread = threading.Thread(target=one, args=(time.monotonic(),))
        thread.start()
        threads.append(thread)
    for thread in threads:
        thread.join()
    return said, len(said.seconds) / (time.monotonic() - began), left_out


def _together(threads: list[threading.Thread]) -> None:
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def told(what: str, said: Said, rate: float, more: str = "") -> None:
    times = sorted(said.seconds) or [0.0]
    p95 = times[min(len(times) - 1, int(0.95 * len(times)))]
    others = {
        status or "no answer": n for status, n in said.statuses.items() if status not in (200, 201)
    } or ""
    print(
        f"{what:46} {rate:6.1f} a second, median {statistics.median(times) * 1000:6.0f} ms, p95 {p95 * 1000:6.0f} ms"
        f"{f', else {others}' if others else ''}{more}",
        flush=True,
    )


@contextmanager
def running(home: Path, port: int, worker_settings: str) -> Iterator[subprocess.Popen]:
    """Web, one worker for photos and the reconciler, as processes of their own."""
    from tests import servers, web_image

    own = os.environ | {
        "SKINCLINIC_HOME": str(home), "LOG_LEVEL": "ERROR", "ALLOWED_HOSTS": "127.0.0.1", "SKINCLINIC_EMBEDDED": "1",
        # The limits by the hour would end the load before it is one.
        "PHOTOS_AN_HOUR": "1000000", "PHOTOS_AN_HOUR_ADDRESS": "1000000",
    }  # fmt: skip
    celery = [
        sys.executable, "-m", "celery", "-A", "skinclinic", "worker", "--pool", "solo", "--queues", "analysis",
        "--loglevel", "ERROR",
    ]  # fmt: skip
    log = (home / "load.log").open("a")
    started = [
        subprocess.Popen(command, env=own | more, stdout=log, stderr=log)
        for command, more in (
            (web_image.gunicorn(port), {}),
            (celery, {"DJANGO_SETTINGS_MODULE": worker_settings}),
            ([sys.executable, "manage.py", "reconcile", "--every", "5"], {}),
        )
    ]
    try:
        servers.wait_for(port, 120)
        yield started[0]
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait(60)
        log.close()


def prepared(clinic_name: str) -> tuple[Any, str, str]:
    """A clinic of CASES; its clinician's token and cookie."""
    from django.test import Client

    from classifier.models import Publication
    from classifier.services.models import registry
    from tests import crowd, factories

    clinic = factories.make_clinic(clinic_name)
    user = factories.make_member(clinic, "clinician", clinic.slug)
    crowd.fill(clinic, user, CASES)
    Publication.objects.create(clinic=clinic, model_version=registry.register_shipped(), published_by=user)
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return clinic, factories.make_token(user), f"sessionid={client.cookies['sessionid'].value}"


def load(name: str, worker_settings: str, home: Path, seconds: float, files: list[bytes]) -> None:
    """Measure with this worker, and hold what is there against what was sent."""
    from django.db import connection

    from tests import servers

    clinic, token, cookie = prepared(name)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    port = servers.free_port()
    photos = Photos(port, token, files)

    def worklist() -> int:
        return ask(port, "GET", "/?show=all", b"", {"Cookie": cookie})[0]

    with running(home, port, worker_settings):
        # Whatever is made once in each process; on a busy machine the first takes long.
        for _time in range(24):
            until = time.monotonic() + 300
            while (status := worklist()) != 200:
                if time.monotonic() > until or status not in (0, 503):
                    sys.exit(f"the worklist says {status}: {(home / 'load.log').read_text()[-2000:]}")
        while photos.send(0) not in (200, 201):
            time.sleep(0.2)
        for what, work in (("worklists", worklist), ("photos", photos.next)):
            most = 0.0
            for people in PEOPLE:
                said, rate = one_after_another(work, people, seconds)
                told(f"{what}, {people} at a time", said, rate)
                most = max(most, rate)
                settled(clinic) if what == "photos" else None
            said, rate, left_out = faster_than_taken(work, 2 * most, seconds)
            left = f", {left_out} not sent while {MOST_WAITING} waited" if left_out else ""
            told(f"{what}, {2 * most:.0f} a second come", said, rate, left)
            if unclear := set(said.statuses) - {200, 201, 503}:
                print(f"  beside answers and 503: {unclear}")
        held_against(clinic, photos)


def settled(clinic) -> float:
    """Wait until every photo was analysed; seconds it took."""
    from skinclinic.models import Job

    began = time.monotonic()
    while Job.objects.filter(clinic=clinic, kind="analyse", state__in=["queued", "running"]).exists():
        if time.monotonic() - began > 1800:
            sys.exit("photos still wait for their analysis after half an hour")
        time.sleep(0.2)
    return time.monotonic() - began


def held_against(clinic, photos: Photos) -> None:
    """Send again what was not taken; then everything is there, whole and once. Ends the command otherwise."""
    from django.db.models import F

    from classifier.models import Analysis
    from skinclinic import imaging
    from skinclinic.files import store
    from skinclinic.models import Job, Photo

    again, tries = sorted(photos.sent - photos.taken.keys()), 0
    for number in again:
        while number not in photos.taken:
            photos.send(number)
            tries += 1
    waited = settled(clinic)
    own = Photo.objects.filter(clinic=clinic).exclude(file_key="none.jpg")
    rows = {photo.pk: photo for photo in own}
    wrong = []
    if set(rows) != set(photos.taken.values()) or len(rows) != len(photos.sent):
        wrong.append(f"{len(photos.sent)} photos were sent and {len(rows)} are there")
    for number, key in photos.taken.items():
        photo = rows.get(key)
        if photo is None or photo.sha256 != imaging.sha256(photos.bytes_of(number)):
            wrong.append(f"photo {number} is not what was sent")
        elif not (store.is_whole_jpeg(photo.file_key) and store.is_whole_jpeg(photo.thumbnail_key)):
            wrong.append(f"the files of photo {number} are not whole")
    analyses = Analysis.objects.filter(photo__in=own)
    done = analyses.filter(job__state=Job.State.DONE, scores__isnull=False).values("photo").distinct().count()
    if not len(rows) == analyses.count() == done:
        wrong.append(f"{len(rows)} photos have {analyses.count()} analyses, {done} of them done")
    waits = analyses.annotate(waited=F("analysed_at") - F("photo__created_at")).values_list(
        "waited", flat=True
    )
    seconds = sorted(wait.total_seconds() for wait in waits)
    print(
        f"{len(photos.sent)} photos sent, {len(rows)} there, {done} analyses; {len(again)} sent again ({tries} tries)"
    )
    print(
        f"from photo to answer: median {statistics.median(seconds):.1f} s, longest {seconds[-1]:.0f} s; the last came "
        f"{waited:.0f} s after the last photo"
    )
    if wrong:
        sys.exit(f"lost or doubled: {'; '.join(wrong[:10])}")
    print("nothing lost, nothing there twice")


def main(seconds: float = 10, folder: str = "") -> None:
    with tempfile.TemporaryDirectory(prefix="skinclinic-load-") as home:
        os.environ |= {"SKINCLINIC_HOME": home, "DJANGO_SETTINGS_MODULE": "skinclinic.settings"}
        import django

        django.setup()
        from django.core.management import call_command
        from django.db import connection

        from tests import factories

        if connection.vendor != "postgresql":
            sys.exit("measured is PostgreSQL: begin the command with python -m tests.servers")
        call_command("migrate", verbosity=0)
        call_command("collectstatic", interactive=False, verbosity=0)
        found = sorted(Path(folder).rglob("*.jp*g"))[:60] if folder else []
        files = [path.read_bytes() for path in found] or [
            factories.jpeg_bytes(n, 1600, 1200) for n in range(8)
        ]
        print(f"photos of {statistics.mean(map(len, files)) / 1000:.0f} kB; {os.cpu_count()} processors")
        for name, settings in (
            ("The network that comes with the product", "skinclinic.settings"),
            ("A network that answers at once", "tests.stubbed_settings"),
        ):
            print(f"-- {name}")
            load(name, settings, Path(home), seconds, files)


if __name__ == "__main__":
    main(*map(float, sys.argv[1:2]), *sys.argv[2:3])
