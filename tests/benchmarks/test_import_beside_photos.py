"""What people wait for while an import of large photos is written, beside an idle server: ratios inside one run.

Web, workers and reconciler are processes of their own, as in the demo. Measured are an upload until its result is
there, and a small write (a reader's answer), each while nothing else goes on and while the import is written;
``SKINCLINIC_BENCHMARK_PHOTOS`` photos of 12 megapixels, 60 by default.
"""

import http.client
import os
import signal
import statistics
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from classifier.models import Analysis
from skinclinic.archive.models import Entry, Import
from skinclinic.archive.services.importing import imports
from skinclinic.engine import jobs
from tests import factories, servers
from tests.archive import table_files
from tests.engine import wait_until
from tests.reading_crowd import Reading, start_web
from tests.studies import make_study

pytestmark = [pytest.mark.engine, pytest.mark.timeout(1200)]

PHOTOS = int(os.environ.get("SKINCLINIC_BENCHMARK_PHOTOS", "60"))
ROUNDS, WRITES_A_ROUND, FEWEST = 12, 3, 5
MOST_FOR_A_PHOTO, MOST_FOR_A_WRITE = 3, 5
CSRF = "c" * 32


class Person:
    """Somebody at a browser: uploads photos and waits for each result."""

    def __init__(self, port: int, client):
        self.port, self.session = port, client.cookies["sessionid"].value
        self.seed = 1000

    def photo_to_result(self) -> float:
        """Seconds from sending a photo of two megapixels to its stored result."""
        self.seed += 1
        data, part = factories.jpeg_bytes(self.seed, 1600, 1200), uuid.uuid4().hex
        body = (
            f'--{part}\r\nContent-Disposition: form-data; name="file"; filename="{self.seed}.jpg"\r\n'
            "Content-Type: image/jpeg\r\n\r\n"
        ).encode() + data
        body += f"\r\n--{part}--\r\n".encode()
        headers = {
            "Content-Type": f"multipart/form-data; boundary={part}",
            "Cookie": f"sessionid={self.session}; csrftoken={CSRF}",
            "X-CSRFToken": CSRF,
            "X-Requested-With": "XMLHttpRequest",
        }
        started = time.perf_counter()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        connection.request("POST", "/photos/", body, headers)
        response = connection.getresponse()
        assert response.status == 201, response.read()
        response.read()
        done = Analysis.objects.filter(photo__original_name=f"{self.seed}.jpg").exclude(scores=None)
        wait_until(done.exists, 240, "the photo is analysed")
        return time.perf_counter() - started


class Reader(Reading):
    """Somebody who answers a study's photos, one after the other."""

    position = 0

    def write(self) -> float:
        """Seconds that storing an answer takes."""
        self.position += 1
        body = f'{{"key": "{uuid.uuid4()}", "known": 0, "choice": "bcc"}}'
        started = time.perf_counter()
        self.until_done("POST", f"unaided/photo/{self.position}/answer", body)
        return time.perf_counter() - started


def large_photos(folder: Path, count: int) -> list[list[str]]:
    """Photos of 4000 × 3000 pixels with grain, all different, and the rows of their table."""
    random = np.random.default_rng(0)
    pixels = random.normal((205, 160, 135), 6, (750, 1000, 3)).clip(0, 255).astype(np.uint8)
    pixels = pixels.repeat(4, axis=0).repeat(4, axis=1)
    folder.mkdir()

    def draw(number: int, colour: np.ndarray) -> None:
        own = pixels.copy()
        own[1000:2000, 1500:2500] = colour
        Image.fromarray(own).save(folder / f"{number}.jpg", quality=90)

    # Nothing is measured yet.
    with ThreadPoolExecutor(os.cpu_count()) as drawing:
        list(drawing.map(draw, range(count), random.integers(20, 200, (count, 3))))
    return [[f"{number}.jpg", "bcc", f"P{number // 4}"] for number in range(count)]


def measured(person: Person, reader: Reader, goes_on=lambda: True) -> tuple[list[float], list[float]]:
    """Seconds of uploads and of small writes, in turns, as long as it goes on."""
    photos, writes = [], []
    for _round in range(ROUNDS):
        photo = person.photo_to_result()
        some = [reader.write() for _ in range(WRITES_A_ROUND)]
        if not goes_on():
            break
        photos.append(photo)
        writes += some
    return photos, writes


def in_words(name: str, idle: list[float], busy: list[float]) -> str:
    ratio = statistics.median(busy) / statistics.median(idle)
    times = " / ".join(
        f"{1000 * statistics.median(some):.0f} (at most {1000 * max(some):.0f})" for some in (busy, idle)
    )
    return f"{name}: {times} ms, {len(busy)} and {len(idle)} times: {ratio:.2f}"


def test_photos_and_small_writes_beside_an_import(
    engine, home, clinic, curator, coordinator, client_for, model_version, tmp_path, record_property
):
    row = imports.begin(
        clinic=clinic, user=curator, name="Large", format="csv", role="both", photos=str(tmp_path / "large"),
        metadata=str(table_files.table(tmp_path / "t.csv", large_photos(tmp_path / "large", PHOTOS))),
        columns=table_files.COLUMNS,
    )  # fmt: skip
    answers = (2 * ROUNDS + 2) * WRITES_A_ROUND
    made = make_study(clinic, coordinator, labels=["bcc"] * answers, practice=0)
    before = Entry.objects.count()
    engine.start_worker(jobs.PHOTOS)
    engine.start_worker(jobs.BATCH)
    engine.start_reconciler(every=15)
    port = servers.free_port()
    web = start_web(port, home, CELERY_BROKER_URL=engine.environment["CELERY_BROKER_URL"])
    try:
        reader = Reader(port, made.secrets[0], answers)
        reader.until_done("POST", "unaided/begin", "confirmed=1", expect=302)
        reader.until_done("GET", "unaided/")
        person = Person(port, client_for(curator))
        imports.request_check(row)
        wait_until(lambda: Import.objects.get(pk=row.pk).state == "ready", 300, "the import is checked")
        person.photo_to_result()  # loads the network
        reader.write()
        idle = measured(person, reader)
        imports.request_write(row)
        wait_until(lambda: Entry.objects.count() > before, 240, "the import is being written")
        busy = measured(person, reader, partial(is_running, row))
    finally:
        os.killpg(web.pid, signal.SIGKILL)
        web.wait()
    for name, limit, plain, beside in (
        ("upload to result beside an import / idle", MOST_FOR_A_PHOTO, idle[0], busy[0]),
        ("small write beside an import / idle", MOST_FOR_A_WRITE, idle[1], busy[1]),
    ):
        assert len(beside) >= FEWEST, "the import was over too soon to measure anything"
        ratio = statistics.median(beside) / statistics.median(plain)
        record_property(name, round(ratio, 2))
        print("\n" + in_words(name, plain, beside))
        assert ratio <= limit


def is_running(row: Import) -> bool:
    return Import.objects.get(pk=row.pk).state == "running"
