"""Things that are made one beside the other, each processor at one; in the order and to the byte as one after another.

For commands. Other processes are forks, which have everything that is there and pass back what they made.
"""

import multiprocessing
import pickle
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import IO, Any, TypeVar

from django.db import connections

from skinclinic.engine import processors as machine

T = TypeVar("T")
_MOST = 4
_WIDTH = 4


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
    with TemporaryDirectory() as folder, TemporaryFile(buffering=0) as places:
        places.write(b"".join(place.to_bytes(_WIDTH, "big") for place in range(len(makers))))
        places.seek(0)
        work = _Work(makers, places, Path(folder))
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
    """How many this process may use; a part of one that its container has counts as none."""
    share = machine.share()
    return machine.usable() if share is None else max(1, min(machine.usable(), int(share)))


def _may_fork() -> bool:
    """Not where other threads run, whose locks would stay locked; where a database is connected, to which two would
    speak at once; nor in a process that may have no children."""
    is_alone = threading.active_count() == 1 and not multiprocessing.current_process().daemon
    is_connected = any(one.connection is not None for one in connections.all(initialized_only=True))
    return is_alone and not is_connected and "fork" in multiprocessing.get_all_start_methods()


class _Work:
    """``places``: who reads the next, this process or another, makes what stands there. ``folder``: what others made,
    which need not wait until this one has time for it."""

    def __init__(self, makers: Sequence[Callable[[], Any]], places: IO[bytes], folder: Path):
        self.makers, self._places, self._folder = makers, places, folder

    def next_place(self) -> int | None:
        read = self._places.read(_WIDTH)
        return int.from_bytes(read, "big") if read else None

    def give(self, place: int) -> None:
        made = self.makers[place]()
        self._file(place).write_bytes(pickle.dumps(made, pickle.HIGHEST_PROTOCOL))

    def receive(self, place: int) -> Any:
        file = self._file(place)
        found = pickle.loads(file.read_bytes())
        file.unlink()
        return found

    def _file(self, place: int) -> Path:
        return self._folder / str(place)


# What this process was begun with.
_work: _Work


def _begin(work: _Work) -> None:
    global _work
    _work = work


def _make_next() -> int | None:
    place = _work.next_place()
    if place is not None:
        _work.give(place)
    return place


def _in_order(work: _Work, others: Iterable[Future[int | None]]) -> Iterator[Any]:
    waiting = deque(others)
    here: dict[int, Any] = {}
    there: set[int | None] = set()
    for place, make in enumerate(work.makers):
        while place not in here and place not in there:
            if waiting and waiting[0].done():
                there.add(_place_of(waiting.popleft()))
            elif (mine := work.next_place()) is not None:
                here[mine] = work.makers[mine]()
            elif waiting:
                there.add(_place_of(waiting.popleft()))
            else:
                # Another process had taken it and was killed, for its memory perhaps.
                here[place] = make()
        yield here.pop(place) if place in here else work.receive(place)


def _place_of(other: Future[int | None]) -> int | None:
    try:
        return other.result()
    except BrokenProcessPool:
        return None
