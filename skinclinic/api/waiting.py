"""``Prefer: wait=N``: an answer that waits a little for what workers do.

A request that waits holds a thread of the web process. So it waits no longer than ``LONGEST``, only ``MOST`` wait in a
process at a time, and who finds no place is answered at once: waiting is a wish, and the answer says how things stand.
"""

import re
import threading
from collections.abc import Callable
from time import monotonic, sleep

from rest_framework.request import Request

LONGEST = 10
MOST = 3
EVERY = 0.25
_places = threading.BoundedSemaphore(MOST)
_WAIT = re.compile(r"(?:^|[,;\s])wait\s*=\s*\"?(\d{1,6})\"?(?=$|[,;\s])", re.IGNORECASE)


def wished(request: Request) -> int:
    """Seconds that the caller wishes to wait at most, 0 to LONGEST."""
    found = _WAIT.search(request.headers.get("Prefer", ""))
    return min(int(found[1]), LONGEST) if found else 0


def wait(seconds: int, is_over: Callable[[], bool]) -> bool:
    """Ask until it is over or the time is; whether it was waited for at all."""
    if not seconds or not _places.acquire(blocking=False):
        return False
    try:
        until = monotonic() + seconds
        while not is_over() and monotonic() < until:
            sleep(EVERY)
        return True
    finally:
        _places.release()
