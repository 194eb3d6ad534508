"""Sending a wake-up within a short time, whatever state the broker is in.

A wake-up is sent by requests, which people wait for, and may be lost: the reconciler repeats it. So it gets
connections of its own with narrow limits, apart from a worker's, whose reading from the broker may take as long as
there is nothing to do. A broker that has just refused one is left alone for some seconds, so that a hundred uploads
wait for it once. What no limit of a connection holds for, such as a name that no name server answers for when Redis is
stopped with its container, is waited for elsewhere: in a thread that the request leaves to itself.
"""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from kombu import pools
from kombu.messaging import Producer

from skinclinic.celery import app

# Redis on a network that works answers within a millisecond; one that is stopped or frozen never does.
SECONDS = 0.25
# With the look-up of its name, and where the processors are busy.
SECONDS_IN_ALL = 1.0
LEFT_ALONE_SECONDS = 3.0
LIMITS = {
    "socket_timeout": SECONDS, "socket_connect_timeout": SECONDS, "connect_retries_timeout": SECONDS,
    "max_retries": 1, "interval_start": 0, "interval_step": 0, "interval_max": 0,
}  # fmt: skip


T = TypeVar("T")


class NotNow(Exception):
    """The broker took nothing a moment ago."""


class Hangs(Exception):
    """Nobody can say yet whether the broker takes anything."""


class _Broker:
    left_alone_until = 0.0
    hanging: threading.Thread | None = None


def forget() -> None:
    """Ask the broker again at the next wake-up, such as another one."""
    _Broker.left_alone_until, _Broker.hanging = 0.0, None


def send(message: Callable[[Producer], object]) -> None:
    """Call ``message`` with what sends one, in a thread of its own, within the limits. Raises NotNow, Hangs, and
    whatever the broker raises."""
    hanging = _Broker.hanging
    if time.monotonic() < _Broker.left_alone_until or (hanging and hanging.is_alive()):
        raise NotNow
    try:
        within(lambda: _sent(message))
    except Exception:
        _Broker.left_alone_until = time.monotonic() + LEFT_ALONE_SECONDS
        raise


def _sent(message: Callable[[Producer], object]) -> None:
    connection = app.connection_for_write(connect_timeout=SECONDS, transport_options=LIMITS)
    with pools.producers[connection].acquire(block=True, timeout=SECONDS) as ready:
        message(ready)


def within(ask: Callable[[], T]) -> T:
    """What ``ask`` returns or raises. Raises Hangs where that takes longer than a wake-up may; it is left to itself."""
    told: Future[T] = Future()

    def asked() -> None:
        try:
            told.set_result(ask())
        except BaseException as error:  # noqa: BLE001 - of the thread that waits
            told.set_exception(error)

    thread = threading.Thread(target=asked, name="wake-up", daemon=True)
    thread.start()
    try:
        return told.result(SECONDS_IN_ALL)
    except TimeoutError:
        if told.done():
            raise
        _Broker.hanging = thread
        raise Hangs("the broker was not reached within a second") from None
