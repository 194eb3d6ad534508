"""The broker in a folder: whole messages, each taken once."""

import threading

import pytest
from kombu import Connection

from skinclinic.engine import broker  # noqa: F401


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "broker"


@pytest.fixture
def connect(folder):
    def make():
        return Connection("embedded://", transport_options={"folder": str(folder), "polling_interval": 0.01})

    return make


def test_messages_come_in_order_and_once(connect, folder):
    with connect() as sender, connect() as receiver:
        queue = sender.SimpleQueue("work")
        for number in range(5):
            queue.put({"n": number})
        inbox = receiver.SimpleQueue("work")
        got = []
        for _ in range(5):
            message = inbox.get(timeout=60)
            got.append(message.payload["n"])
            message.ack()
        assert got == [0, 1, 2, 3, 4]
        with pytest.raises(inbox.Empty):
            inbox.get(block=False)
    assert list(folder.iterdir()) == []


def test_queues_do_not_mix(connect):
    with connect() as connection:
        connection.SimpleQueue("analysis").put("a")
        other = connection.SimpleQueue("other")
        with pytest.raises(other.Empty):
            other.get(block=False)


def test_receivers_in_parallel_take_each_message_once(connect):
    with connect() as sender:
        queue = sender.SimpleQueue("work")
        for number in range(80):
            queue.put(number)
    got, lock = [], threading.Lock()

    def receive():
        with connect() as connection:
            inbox = connection.SimpleQueue("work")
            while True:
                try:
                    message = inbox.get(timeout=0.5)
                except inbox.Empty:
                    return
                with lock:
                    got.append(message.payload)
                message.ack()

    threads = [threading.Thread(target=receive) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(got) == list(range(80))


def test_a_half_written_message_is_not_seen(connect, folder):
    with connect() as connection:
        inbox = connection.SimpleQueue("work")
        (folder / "0001.draft").write_text('{"half')
        with pytest.raises(inbox.Empty):
            inbox.get(block=False)


def test_what_a_power_cut_has_left_of_messages_is_passed_over(connect, folder):
    """A file has its name, and its content never came to the disk: whoever takes messages must not end by it."""
    with connect() as connection:
        inbox = connection.SimpleQueue("work")
        for number, left in enumerate((b"", b"\0" * 40, b'{"body": "aGFs', b"\xff", b"null")):
            (folder / f"{number:020d}-left.work.msg").write_bytes(left)
        inbox.put("whole")
        assert inbox.get(timeout=60).payload == "whole"
    assert list(folder.glob("*left*")) == []


def test_a_full_disk_is_told_to_the_sender_and_leaves_no_draft(connect, folder, monkeypatch):
    from pathlib import Path

    def full(self, *args, **kwargs):
        raise OSError(28, "No space left on device")

    with connect() as connection:
        queue = connection.SimpleQueue("work")
        monkeypatch.setattr(Path, "rename", full)
        with pytest.raises(OSError, match="No space left"):
            queue.put("x")
    assert list(folder.glob("*.draft")) == []
