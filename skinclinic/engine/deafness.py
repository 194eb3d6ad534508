"""A worker that hears of no work though some waits: it begins anew.

A connection to the broker may be lost in such a way (while a message is acknowledged, as met with Redis) that Celery
goes on without one: the process lives, says so, and takes nothing any more. Whoever is idle while its own work has been
waiting for longer than the reconciler needs to say so several times over, hears nothing.
"""

import logging
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

log = logging.getLogger(__name__)

# The reconciler wakes workers for what waits every 15 seconds.
DEAF_AFTER_SECONDS = 60.0


class Ear:
    """What a worker hears. ``is_deaf`` is asked again and again, from a thread beside the work."""

    def __init__(self) -> None:
        self._at_work = 0
        self._idle_since: float | None = None

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """A message came, and is worked at."""
        self._at_work += 1
        self._idle_since = None
        try:
            yield
        finally:
            self._at_work -= 1

    def is_deaf(self, *, waits: bool) -> bool:
        """Whether work has waited at every look since so long ago, and no message came. ``waits``: some does now."""
        if self._at_work or not waits:
            self._idle_since = None
            return False
        self._idle_since = self._idle_since or time.monotonic()
        return time.monotonic() - self._idle_since >= DEAF_AFTER_SECONDS


ear = Ear()


def begin_anew() -> None:
    """Replace this process by one like it, with the same number, which connects afresh. What it had in hand, which is
    nothing, would be another's once its lease ends. Does not return."""
    log.error(
        "work waits, and nothing was heard of it for %.0f s: this worker begins anew", DEAF_AFTER_SECONDS
    )
    logging.shutdown()
    try:
        os.execv(sys.executable, sys.orig_argv)
    except OSError:
        os._exit(1)  # whoever started it starts it again
