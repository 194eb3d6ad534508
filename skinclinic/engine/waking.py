"""Sending a wake-up within a short time, whatever state the broker is in.

A wake-up is sent by requests, which people wait for, and may be lost: the reconciler repeats it. So it gets
connections of its own with narrow limits, apart from a worker's, whose reading from the broker may take as long as
there is nothing to do. A broker that has just refused one is left alone for some seconds, so that a hundred uploads
wait for it once.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from kombu import pools
from kombu.messaging import Producer

from skinclinic.celery import app

# Redis on a network that works answers within a millisecond; one that is stopped or frozen never does.
SECONDS = 0.25
LEFT_ALONE_SECONDS = 3.0
LIMITS = {
    "socket_timeout": SECONDS, "socket_connect_timeout": SECONDS, "connect_retries_timeout": SECONDS,
    "max_retries": 1, "interval_start": 0, "interval_step": 0, "interval_max": 0,
}  # fmt: skip


class NotNow(Exception):
    """The broker took nothing a moment ago."""


class _Broker:
    left_alone_until = 0.0


def forget() -> None:
    """Ask the broker again at the next wake-up, such as another one."""
    _Broker.left_alone_until = 0.0


@contextmanager
def producer() -> Iterator[Producer]:
    """What sends a message within the limits. Raises NotNow, and whatever the broker raises."""
    if time.monotonic() < _Broker.left_alone_until:
        raise NotNow
    try:
        connection = app.connection_for_write(connect_timeout=SECONDS, transport_options=LIMITS)
        with pools.producers[connection].acquire(block=True, timeout=SECONDS) as ready:
            yield ready
    except Exception:
        _Broker.left_alone_until = time.monotonic() + LEFT_ALONE_SECONDS
        raise
