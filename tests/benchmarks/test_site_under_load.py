"""What others notice while somebody sends photos made to cost much, or guesses passwords, sixteen at a time.

Before the real gunicorn, with the processes and threads it has in docker/.
"""

import http.client
import os
import re
import subprocess
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from urllib.parse import urlencode

import pytest
from django.conf import settings as django_settings

from tests import factories, hostile_photos, servers, web_image
from tests.engine import database_url

pytestmark = pytest.mark.django_db(transaction=True)
AT_ONCE = 16
SECONDS = 8
# Of files and of the database's log, for one photo.
FLUSHES = 6
# What load balancers wait for.
MOST_SECONDS = 1.0


@pytest.fixture
def web(home) -> Iterator[int]:
    port = servers.free_port()
    environment = os.environ | {
        "SKINCLINIC_HOME": str(home),
        "SKINCLINIC_EMBEDDED": "1",
        "DATABASE_URL": database_url(),
        "SECRET_KEY": django_settings.SECRET_KEY,
        "LOG_LEVEL": "CRITICAL",
        # The limits by the hour would end the flood before it is one.
        "TRIES_AN_HOUR_ADDRESS": "100000",
        "DECODERS": re.search(r"DECODERS: (\d+)", web_image.COMPOSE.read_text())[1],
    }
    process = subprocess.Popen(
        web_image.gunicorn(port), env=environment, cwd=django_settings.BASE_DIR, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        servers.wait_for(port, 60)
        for _process in range(12):
            ask(port, "GET", "/healthz")
        yield port
    finally:
        process.terminate()
        process.wait(30)


def ask(port: int, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, dict, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    connection.request(method, path, body or None, headers)
    response = connection.getresponse()
    answer = response.status, dict(response.headers), response.read()
    connection.close()
    return answer


def form(file: bytes, **fields: str) -> tuple[bytes, str]:
    mark = uuid.uuid4().hex
    parts = [
        f'--{mark}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    head = f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'.encode()
    return b"".join(
        [*parts, head, file, f"\r\n--{mark}--\r\n".encode()]
    ), f"multipart/form-data; boundary={mark}"


@contextmanager
def sixteen(work: Callable[[int], int]) -> Iterator[list[int]]:
    """Sixteen who do this again and again until the block ends; gives the statuses of the answers."""
    is_over, statuses = threading.Event(), []

    def again(number: int) -> None:
        while not is_over.is_set():
            try:
                statuses.append(work(number))
            except OSError:
                statuses.append(0)

    threads = [threading.Thread(target=again, args=(number,), daemon=True) for number in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    time.sleep(2)
    yield statuses
    is_over.set()
    for thread in threads:
        thread.join(150)


def health(port: int, seconds: float) -> list[float]:
    taken, until = [], time.monotonic() + seconds
    while time.monotonic() < until:
        started = time.monotonic()
        assert ask(port, "GET", "/healthz")[0] == 200
        taken.append(time.monotonic() - started)
        time.sleep(0.1)
    return taken


def is_soon(taken: list[float]) -> bool:
    return max(taken) < MOST_SECONDS


def told(record_property, what: str, idle: list[float], loaded: list[float], statuses: list[int]) -> None:
    ratio = median(loaded) / median(idle)
    record_property(f"/healthz while {what} ÷ idle", round(ratio, 1))
    counts = {status: statuses.count(status) for status in sorted(set(statuses))}
    print(
        f"\n/healthz while {what}: median {median(loaded):.3f} s ÷ {median(idle):.4f} s = {ratio:.0f}, "
        f"at most {max(loaded):.2f} s; answers {counts}"
    )


@pytest.fixture
def sender(clinic, clinician, client_for, model_version):
    """send(port, photo) -> status, as the page sends it, again while it is busy; of a member of the clinic."""
    clinic.try_page_open = True
    clinic.save()
    session = client_for(clinician).cookies["sessionid"].value
    token = "x" * 32

    def send(port: int, photo: bytes) -> int:
        body, kind = form(photo)
        while True:
            status, headers, _body = ask(
                port, "POST", "/photos/", body, **{
                    "Content-Type": kind, "Cookie": f"sessionid={session}; csrftoken={token}",
                    "X-CSRFToken": token, "Accept": "application/json",
                },
            )  # fmt: skip
            if status != 503:
                return status
            time.sleep(int(headers["Retry-After"]))

    return send


@contextmanager
def disk_watched(folder: Path) -> Iterator[list[float]]:
    """Bring a small file to the disk again and again until the block ends; gives the seconds that each took."""
    is_over, took = threading.Event(), [0.0]

    def watch() -> None:
        with (folder / "watched").open("wb", buffering=0) as file:
            while not is_over.wait(0.1):
                file.write(bytes(20_000))
                started = time.monotonic()
                os.fsync(file.fileno())
                took.append(time.monotonic() - started)

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        yield took
    finally:
        is_over.set()
        watching.join()


def timed(work: Callable[[], int]) -> float:
    started = time.monotonic()
    assert work() == 201
    return time.monotonic() - started


def test_hostile_photos_stop_neither_pages_nor_honest_photos(web, home, sender, record_property):
    body, kind = form(hostile_photos.FILES["PNG, RGBA of 16 bits in HDR"]())
    photos = [factories.jpeg_bytes(seed) for seed in range(8)]
    idle, own = health(web, 2), [timed(lambda photo=photo: sender(web, photo)) for photo in photos[:4]]
    hostile = sixteen(lambda _number: ask(web, "POST", "/api/try/", body, **{"Content-Type": kind})[0])
    with hostile as statuses, disk_watched(home) as flushed:
        loaded = health(web, SECONDS)
        meanwhile = [timed(lambda photo=photo: sender(web, photo)) for photo in photos[4:]]
    told(record_property, "hostile photos are sent", idle, loaded, statuses)
    record_property("an honest photo meanwhile ÷ idle", round(median(meanwhile) / median(own), 1))
    print(
        f"an honest photo: {median(meanwhile):.2f} s (at most {max(meanwhile):.1f}) ÷ {median(own):.2f} s idle; "
        f"the disk alone, a small file: at most {max(flushed):.1f} s"
    )
    assert is_soon(loaded)
    # A photo waits for the disk a few times; what that takes by itself is not the site's.
    assert max(meanwhile) < 15 + FLUSHES * max(flushed)


def test_guessed_passwords_do_not_stop_the_site(web, record_property):
    token = "x" * 32
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": f"csrftoken={token}"}

    def guess(number: int) -> int:
        sent = {
            "username": f"nobody-{number}-{uuid.uuid4().hex}",
            "password": "guessed",
            "csrfmiddlewaretoken": token,
        }
        return ask(web, "POST", "/login/", urlencode(sent).encode(), **headers)[0]

    idle = health(web, 2)
    with sixteen(guess) as statuses:
        loaded = health(web, SECONDS)
    told(record_property, "passwords are guessed", idle, loaded, statuses)
    assert is_soon(loaded)
