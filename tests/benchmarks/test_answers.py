"""What an answer and the next photo take on the server while 16 readers read at once.

Printed; asserted is only a ratio to a GET of /login/ under the same load, as machines differ. On PostgreSQL:
python -m tests.servers python -m pytest tests/benchmarks/test_answers.py -s, with SKINCLINIC_BENCHMARK_PHOTOS=480
for a study as large as the paper's. Nobody pauses, which no reader does; SKINCLINIC_BENCHMARK_PAUSE=0.5 lets each
look at a photo for half a second on average.
"""

import json
import os
import statistics
import threading
import time

import pytest

from reader_study.models import Answer
from tests import servers
from tests.reading_crowd import Reading, start_web
from tests.studies import make_study

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(1800)]

READERS = 16
PHOTOS = int(os.environ.get("SKINCLINIC_BENCHMARK_PHOTOS", "24"))
PAUSE = float(os.environ.get("SKINCLINIC_BENCHMARK_PAUSE", "0"))


class Asker(Reading):
    """A reader who also asks for /login/ after each answer: a small page under the very same load."""

    def between(self) -> None:
        status, _body = self.ask("GET", "/login/", "", "text/plain")
        assert status == 200


def run(readings: list[Reading]) -> float:
    threads = [threading.Thread(target=reading.read) for reading in readings]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - started


def in_words(name: str, seconds: list[float]) -> str:
    ordered = sorted(seconds)
    p95 = ordered[int(0.95 * (len(ordered) - 1))]
    middle = statistics.median(ordered)
    return f"{name}: median {1000 * middle:.1f} ms, 95th percentile {1000 * p95:.1f} ms (n = {len(ordered)})"


def test_answer_and_next_photo_with_16_readers(home, clinic, coordinator, record_property):
    made = make_study(clinic, coordinator, labels=["bcc"] * PHOTOS, practice=0, readers=READERS)
    port = servers.free_port()
    timings = home / "timings.jsonl"
    web = start_web(port, home, DJANGO_SETTINGS_MODULE="tests.timed_settings", TIMINGS=str(timings))
    try:
        for _ in range(2 * READERS):
            Asker(port, "", 0).between()
        os.truncate(timings, 0)
        readings = [Asker(port, secret, PHOTOS, PAUSE) for secret in made.secrets]
        took = run(readings)
    finally:
        web.terminate()
        web.wait(30)
    by_name: dict[str, list[float]] = {}
    for line in timings.read_text().splitlines():
        name, seconds = json.loads(line)
        by_name.setdefault(name, []).append(seconds)
    answers, photos, bare = (by_name[name] for name in ("reading-answer", "reading-photo", "login"))
    assert Answer.objects.count() == len(answers) == READERS * PHOTOS
    ratio = statistics.median(answers) / statistics.median(bare)
    record_property("answer POST / GET of /login/, server time with 16 readers", round(ratio, 2))
    answering, fetching = (
        [seconds for reading in readings for seconds in getattr(reading, name)]
        for name in ("answering", "fetching")
    )
    print(f"\n{READERS} readers × {PHOTOS} photos in {took:.0f} s, looking {PAUSE:g} s at each")
    for name, seconds in (
        ("answer POST, server", answers), ("next photo, server", photos), ("GET /login/, server", bare),
        ("answer POST, as the reader waits", answering), ("next photo, as the reader waits", fetching),
    ):  # fmt: skip
        print(in_words(name, seconds))
    print(f"answer POST / GET /login/: {ratio:.1f}")
    # An answer is seven statements in a transaction; the page asks the database for nothing.
    assert ratio <= 12
