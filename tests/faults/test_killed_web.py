"""The web process killed in the middle of a study: 16 readers answer at once, and not one answer is lost.

A reader here does what the page's queue does: it keeps an answer and sends it again, under the same key, until the
server has said that it has it. By default 24 photos; SKINCLINIC_BENCHMARK_PHOTOS=480 for a study as large as the
paper's.
"""

import os
import signal
import threading
import time

import pytest

from reader_study.models import Answer, AnswerChange
from tests import servers
from tests.engine import wait_until
from tests.reading_crowd import Reading, start_web
from tests.studies import make_study

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(1800)]

READERS = 16
PHOTOS = int(os.environ.get("SKINCLINIC_BENCHMARK_PHOTOS", "24"))
CHOICES = ["bcc", "mm", "sk", "nevus"]


def test_kill_9_in_the_middle_of_16_readings(home, clinic, coordinator):
    labels = (CHOICES * PHOTOS)[:PHOTOS]
    made = make_study(clinic, coordinator, labels=labels, practice=0, readers=READERS)
    port, web = servers.free_port(), None
    readings = [Reading(port, secret, PHOTOS) for secret in made.secrets]
    threads = [threading.Thread(target=reading.read, daemon=True) for reading in readings]
    kills = 0
    try:
        web = start_web(port, home)
        for thread in threads:
            thread.start()
        for share in (0.25, 0.6):
            wait_until(lambda share=share: _given() >= share * READERS * PHOTOS, 900, "answers come in")
            assert _given() < READERS * PHOTOS, "the kill came too late to prove anything"
            os.killpg(web.pid, signal.SIGKILL)
            web.wait()
            kills += 1
            time.sleep(1)
            web = start_web(port, home)
        for thread in threads:
            thread.join(900)
        assert not any(thread.is_alive() for thread in threads)
    finally:
        if web:
            os.killpg(web.pid, signal.SIGKILL)
            web.wait()

    said = {
        (reading.secret, position): choice
        for reading in readings
        for position, choice in reading.said.items()
    }
    assert len(said) == READERS * PHOTOS
    lost = []
    for reader, secret in zip(made.readers, made.secrets, strict=True):
        row = reader.readings.get()
        stored = dict(row.answers.values_list("image__number", "choice"))
        lost += [
            (reader.code, position)
            for position, number in enumerate(row.order, start=1)
            if stored.get(number) != said[secret, position]
        ]
        assert row.finished_at
    again = sum(reading.tries for reading in readings) - READERS * PHOTOS
    print(
        f"\n{READERS} readers × {PHOTOS} photos, {kills} kills: {len(lost)} answers lost, {again} sent again"
    )
    assert lost == []
    assert Answer.objects.count() == READERS * PHOTOS
    assert AnswerChange.objects.count() == READERS * PHOTOS
    assert not AnswerChange.objects.filter(is_in_force=False).exists()


def _given() -> int:
    return Answer.objects.count()
