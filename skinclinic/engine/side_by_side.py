"""Things that are made one beside the other, each processor at one; in the order and to the byte as one after another.

For commands. Other processes are forks, which have everything that is there and pass back what they made.
"""

import multiprocessing
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any, TypeVar

from django.db import connections

T = TypeVar("T")
_MOST = 4
_WIDTH = 4
_GROUPS = Path("/sys/fs/cgroup")


@contextmanager
def begun(makers: Sequence[Callable[[], T]]) -> Iterator[Iterator[T]]:
    """What each of the makers gives, in their order. Other processes begin at once, this one joins in when it is asked.
    All in this one where there is one processor, and where it holds what must not be forked.

    What a maker raises is raised here. A process that was killed is done without.
    """
    others = min(processors(), _MOST, len(makers)) - 1
    if others < 1 or not _may_fork():
        yield (make() for make in makers)
        return
    # Whoever reads the next place, this process or another, makes what stands there.
    with TemporaryFile(buffering=0) as places:
        places.write(b"".join(place.to_bytes(_WIDTH, "big") for place in range(len(makers))))
        places.seek(0)
        work = _Work(makers, places)
        fork = multiprocessing.get_context("fork")
        with ProcessPoolExecutor(others, fork, initializer=_begin, initargs=(work,)) as pool:
            try:
                yield _in_order(work, [pool.submit(_make_next) for _maker in makers])
            finally:
                # Its threads have ended when this is left, so that more may be forked.
                pool.shutdown(cancel_futures=True)


def made(makers: Sequence[Callable[[], T]]) -> list[T]:
    """The same, when all of it is wanted at once."""
    with begun(makers) as found:
        return list(found)


def processors() -> int:
    """How many this process may use: of the machine, of its own set, of its container's share."""
    with suppress(AttributeError):
        return max(1, min(len(os.sched_getaffinity(0)), _allowed(_GROUPS)))
    return os.cpu_count() or 1


def _allowed(groups: Path) -> int:
    """By the container's share of time, in either version of control groups; a part of one counts as none."""
    with suppress(OSError, ValueError):
        share, period = (groups / "cpu.max").read_text().split()
        return int(share) // int(period) if share != "max" else _MOST
    with suppress(OSError, ValueError):
        share, period = ((groups / f"cpu/cpu.cfs_{name}_us").read_text() for name in ("quota", "period"))
        return int(share) // int(period) if int(share) > 0 else _MOST
    return _MOST


def _may_fork() -> bool:
    """Not where other threads run, whose locks would stay locked; where a database is connected, to which two would
    speak at once; nor in a process that may have no children."""
    is_alone = threading.active_count() == 1 and not multiprocessing.current_process().daemon
    is_connected = any(one.connection is not None for one in connections.all(initialized_only=True))
    return is_alone and not is_connected and "fork" in multiprocessing.get_all_start_methods()


class _Work:
    def __init__(self, makers: Sequence[Callable[[], Any]], places: IO[bytes]):
        self.makers, self._places = makers, places

    def make_next(self) -> tuple[int, Any] | None:
        """The next place that nobody has taken and what is made there; None after the last."""
        if not (read := self._places.read(_WIDTH)):
            return None
        place = int.from_bytes(read, "big")
        return place, self.makers[place]()


# What this process was begun with.
_work: _Work


def _begin(work: _Work) -> None:
    global _work
    _work = work


def _make_next() -> tuple[int, Any] | None:
    return _work.make_next()


def _in_order(work: _Work, others: Iterable[Future[tuple[int, Any] | None]]) -> Iterator[Any]:
    waiting = deque(others)
    ready: dict[int, Any] = {}
    for place, make in enumerate(work.makers):
        while place not in ready:
            if waiting and waiting[0].done():
                ready.update(_made_by(waiting.popleft()))
            elif found := work.make_next():
                ready.update([found])
            elif waiting:
                ready.update(_made_by(waiting.popleft()))
            else:
                # Another process had taken it and was killed, for its memory perhaps.
                ready[place] = make()
        yield ready.pop(place)


def _made_by(other: Future[tuple[int, Any] | None]) -> list[tuple[int, Any]]:
    try:
        found = other.result()
    except BrokenProcessPool:
        return []
    return [found] if found else []
