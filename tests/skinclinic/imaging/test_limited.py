"""Photos from outside are read in processes of their own, with limits, a few at a time."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from skinclinic import imaging
from skinclinic.imaging import decoder, limited
from tests import hostile_photos
from tests import photo_bytes as make

PHOTO = make.encoded(make.lesion(), "JPEG", exif=make.telling_exif(6))
LIMITS = limited.Limits(megabytes=120, cpu_seconds=0, seconds=20)


@pytest.fixture(scope="module")
def decoders() -> Iterator[limited.Decoders]:
    made = limited.Decoders(LIMITS, most=2, waiting=2, patience=10)
    yield made
    made.close()


def accept(decoders: limited.Decoders, data: bytes = PHOTO, **how) -> imaging.AcceptedPhoto:
    return decoder.accepted(*decoders.ask("accept", data, **how))


def refusal(decoders: limited.Decoders, data: bytes, work: str = "accept", **how) -> str:
    with pytest.raises(imaging.PhotoRejected) as refused:
        decoders.ask(work, data, **how)
    assert refused.value.message
    return refused.value.code


def test_what_is_read_elsewhere_is_what_would_be_read_here(decoders):
    assert accept(decoders) == imaging.accept(PHOTO)
    assert tuple(decoders.ask("check", PHOTO)[0]["notes"]) == imaging.check(PHOTO)
    assert refusal(decoders, b"no photo") == refusal(decoders, b"no photo", "check") == "unsupported"
    assert refusal(decoders, PHOTO, max_bytes=9) == "too_large"
    stored = imaging.accept(PHOTO).jpeg
    area = imaging.Cover(0, 0, 20, 20, "ellipse")
    said, parts = decoders.ask("cover", stored, areas=[vars(area)])
    assert tuple(parts) == imaging.covered(stored, [area])
    assert said["likeness"] == imaging.perceptual_hash(parts[0])
    with pytest.raises(OSError, match="not a stored photo"):
        decoders.ask("cover", b"gone", areas=[])
    with pytest.raises(limited.Broke, match="KeyError"):
        decoders.ask("dance", PHOTO)
    assert len(decoders.pids()) == 1


def test_what_takes_too_much_is_refused_and_nobody_notices(decoders):
    dear = hostile_photos.big_png(16, 0, extra=hostile_photos.HLG)
    # More memory than there is; then, in a process with more of that, more time.
    assert refusal(decoders, hostile_photos.big_png(1, 0)) == "too_costly"
    assert accept(decoders).width
    slow = limited.Decoders(limited.Limits(900, 0, 20), most=1, waiting=0, patience=1)
    assert refusal(slow, dear) == "too_costly"
    assert accept(slow).width
    slow.close()


def test_who_sends_what_takes_too_much_leaves_a_warm_one_to_others():
    two = limited.Decoders(LIMITS, most=2, waiting=0, patience=1)
    two.warm(2)
    warm, ended = two.pids()
    assert refusal(two, hostile_photos.big_png(1, 0)) == "too_costly"
    assert two.pids()[0] == warm and len(two.pids()) == 2 and ended not in two.pids()
    two.close()


def test_one_that_dies_is_replaced_without_a_word(decoders):
    accept(decoders)
    os.kill(decoders.pids()[0], signal.SIGKILL)
    assert accept(decoders).width
    # While it is asked.
    (process,) = decoders.pids()
    os.kill(process, signal.SIGSTOP)
    threading.Timer(0.1, os.kill, (process, signal.SIGKILL)).start()
    assert accept(decoders).width
    hurried = limited.Decoders(limited.Limits(120, 9, 1), most=1, waiting=0, patience=1)
    hurried.warm()
    (stopped,) = hurried.pids()
    os.kill(stopped, signal.SIGSTOP)
    with pytest.raises(limited.TimeOver):
        accept(hurried)
    (new,) = hurried.pids()
    assert new != stopped
    hurried.close()


def test_they_have_no_secrets_and_write_no_file(decoders, monkeypatch):
    monkeypatch.setenv("SECRET_KEY", "not for them")
    decoders.close()
    accept(decoders)
    (process,) = decoders.pids()
    home = Path("/proc") / str(process)
    assert b"not for them" not in (home / "environ").read_bytes()
    limits = (home / "limits").read_text()
    assert "Max file size             0 " in limits and "Max core file size        0 " in limits
    assert len(os.sched_getaffinity(process)) <= 4
    assert "django" not in (home / "maps").read_text()


@contextmanager
def working(decoders: limited.Decoders, *senders: str) -> Iterator[None]:
    """Somebody's photos are being read."""
    with decoders._turn(senders[0], False):
        if senders[1:]:
            with working(decoders, *senders[1:]):
                yield
        else:
            yield


def test_beyond_a_short_queue_there_is_no_place():
    decoders = limited.Decoders(LIMITS, most=3, waiting=2, patience=0.05)

    def turn(sender: str) -> bool:
        with working(decoders, sender):
            return True

    with working(decoders, "a", "a"):
        # One sender leaves a process to others.
        with pytest.raises(limited.Busy):
            turn("a")
        assert turn("b")
        with working(decoders, "b"), pytest.raises(limited.Busy):
            turn("c")
    assert turn("a") and decoders._running == decoders._waiting == []


def test_who_has_fewest_at_work_comes_first_and_a_full_queue_is_said_at_once():
    decoders = limited.Decoders(LIMITS, most=1, waiting=2, patience=20)
    order: list[str] = []

    def wait(sender: str) -> None:
        with working(decoders, sender):
            order.append(sender)

    with working(decoders, "a"):
        threads = [threading.Thread(target=wait, args=(sender,)) for sender in ("a", "b")]
        for count, thread in enumerate(threads, start=1):
            thread.start()
            while len(decoders._waiting) < count:
                time.sleep(0.001)
        started = time.monotonic()
        for sender in ("a", "c"):
            with pytest.raises(limited.Busy), working(decoders, sender):
                pass
        assert time.monotonic() - started < 15, "they were told only when patience was over"
    for thread in threads:
        thread.join(20)
    assert sorted(order) == ["a", "b"]
