"""People who send photos while things break: each is sent until the server says that it has it, as the page does."""

import http.client
import json
import queue
import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field

import pytest

from classifier.models import Analysis
from skinclinic import imaging
from skinclinic.files import store
from skinclinic.models import Job, Photo
from tests import factories

BOUNDARY = "photo-boundary"


@dataclass
class Uploads:
    """``count`` different photos from ``senders`` threads, to the API on ``port``; ``addresses``: of several machines
    instead of this one, of which the next is asked where one does not answer within ``seconds``."""

    port: int
    token: str
    count: int
    senders: int = 4
    # {seed: key of the photo}
    accepted: dict[int, int] = field(default_factory=dict)
    # {status, or 0 for a connection that broke: how often}
    told: Counter = field(default_factory=Counter)
    # {(status, code of the error, or ""): how often}
    codes: Counter = field(default_factory=Counter)
    slowest: float = 0.0
    addresses: tuple[str, ...] = ("127.0.0.1",)
    seconds: float = 30.0
    # {address: photos it was the one to take}
    taken_by: Counter = field(default_factory=Counter)
    # No more of them are sent than this, until it is raised.
    at_most: int = 1 << 30
    over: threading.Event = field(default_factory=threading.Event)

    def begin(self) -> None:
        self._waiting: queue.SimpleQueue[int] = queue.SimpleQueue()
        for seed in range(self.count):
            self._waiting.put(seed)
        self.threads = [threading.Thread(target=self._send_all, daemon=True) for _ in range(self.senders)]
        for thread in self.threads:
            thread.start()

    def join(self, seconds: float) -> None:
        """Wait until all are accepted; give up, and stop, after so long."""
        deadline = time.monotonic() + seconds
        for thread in self.threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        self.over.set()

    def _send_all(self) -> None:
        while not self.over.is_set():
            try:
                seed = self._waiting.get_nowait()
            except queue.Empty:
                return
            while seed >= self.at_most and not self.over.is_set():
                time.sleep(0.05)
            while not self.over.is_set() and seed not in self.accepted:
                self._send(seed)

    def _send(self, seed: int) -> None:
        began = time.monotonic()
        address = self.addresses[(seed + sum(self.told.values())) % len(self.addresses)]
        try:
            status, body = self._ask(address, factories.jpeg_bytes(seed))
        except (OSError, http.client.HTTPException):
            status, body = 0, b""
        self.told[status] += 1
        self.codes[status, _code_of(status, body)] += 1
        if status in (200, 201):
            self.slowest = max(self.slowest, time.monotonic() - began)
            self.taken_by[address] += 1
            self.accepted[seed] = json.loads(body)["id"]
        else:
            time.sleep(random.uniform(0.05, 0.3))

    def _ask(self, address: str, photo: bytes) -> tuple[int, bytes]:
        head = (
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="photo.jpg"\r\n'
            "Content-Type: image/jpeg\r\n\r\n"
        )
        body = head.encode() + photo + f"\r\n--{BOUNDARY}--\r\n".encode()
        connection = http.client.HTTPConnection(address, self.port, timeout=self.seconds)
        try:
            connection.request("POST", "/api/photos/", body, {
                "Content-Type": f"multipart/form-data; boundary={BOUNDARY}", "Authorization": f"Bearer {self.token}",
            })  # fmt: skip
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()


def _code_of(status: int, body: bytes) -> str:
    """Of an error as the API tells it; "no code" of one that is told otherwise."""
    if status < 400:
        return ""
    try:
        return str(json.loads(body)["error"]["code"])
    except (ValueError, KeyError, TypeError):
        return "no code"


def names_of_all_held(uploads: Uploads, told: set[int]) -> set[str]:
    """Assert that what was accepted is there, once, whole and analysed once, and that nothing but ``told`` was
    answered; gives the names of its files."""
    assert sorted(uploads.accepted) == list(range(uploads.count))
    assert set(uploads.told) <= told
    photos = {photo.pk: photo for photo in Photo.objects.all()}
    assert len(photos) == uploads.count and set(uploads.accepted.values()) == set(photos)
    for seed, pk in uploads.accepted.items():
        assert photos[pk].sha256 == imaging.sha256(factories.jpeg_bytes(seed))
        assert store.is_whole_jpeg(photos[pk].file_key) and store.is_whole_jpeg(photos[pk].thumbnail_key)
    assert Job.objects.filter(kind="analyse").count() == uploads.count == Analysis.objects.count()
    for analysis in Analysis.objects.select_related("job"):
        assert analysis.job.state == Job.State.DONE
        assert sum(analysis.scores.values()) + analysis.background == pytest.approx(1, abs=1e-4)
    return {key for photo in photos.values() for key in (photo.file_key, photo.thumbnail_key)}
