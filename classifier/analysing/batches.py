"""Many photos through a network: while it computes, the next ones are read and made ready. Knows no Django."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

from PIL import Image

from classifier.analysing.pipeline import NonFiniteScores, Outcome, Prepared, analyse_prepared, prepare
from classifier.runtimes.base import Runtime

T = TypeVar("T")
# How many batches are kept ready: enough that a large photo does not hold the network up.
BATCHES_AHEAD = 3
_MOST_READERS = 8


def analyse_all(
    runtime: Runtime, items: Iterable[T], open_crop: Callable[[T], Image.Image]
) -> Iterator[list[tuple[T, Outcome | Exception]]]:
    """Yield each batch of items with what came of them, in order; memory is that of a few batches.

    A runtime that computes several images side by side (``Runtime.side_by_side``) is asked by as many threads, each of
    which takes a photo from its file to its outcome: where they wait for nothing but the processor, none of it is idle.
    Else the network runs in the caller's thread.

    ``open_crop`` returns an item's square RGB crop; it is called in other threads. What it raises as OSError
    or ValueError, and scores that are not finite, become that item's outcome and stop no other.
    """
    size = runtime.max_batch
    preprocessing = runtime.manifest.preprocessing

    def ready(item: T) -> Prepared | Exception:
        try:
            return prepare(open_crop(item), preprocessing)
        except (OSError, ValueError) as error:
            return error

    remaining = iter(items)
    if runtime.side_by_side > 1:
        yield from _side_by_side(runtime, remaining, ready)
        return
    with ThreadPoolExecutor(_readers(runtime), thread_name_prefix="reading") as pool:
        waiting: deque[tuple[T, Future[Prepared | Exception]]] = deque()

        def read_on(count: int) -> None:
            waiting.extend((item, pool.submit(ready, item)) for item in islice(remaining, count))

        read_on(size * BATCHES_AHEAD)
        try:
            while waiting:
                batch = [(item, future.result()) for item, future in _taken(waiting, size)]
                read_on(len(batch))
                yield _outcomes(runtime, batch)
        finally:
            for _item, future in waiting:
                future.cancel()


def _side_by_side(
    runtime: Runtime, items: Iterator[T], ready: Callable[[T], Prepared | Exception]
) -> Iterator[list[tuple[T, Outcome | Exception]]]:
    """``analyse_all``, one item a batch."""
    # One more reads while the others compute.
    threads = runtime.side_by_side + 1
    with ThreadPoolExecutor(threads, thread_name_prefix="analysing") as pool:
        waiting: deque[Future[list[tuple[T, Outcome | Exception]]]] = deque()

        def read_on(count: int) -> None:
            waiting.extend(
                pool.submit(lambda item: _outcomes(runtime, [(item, ready(item))]), item)
                for item in islice(items, count)
            )

        read_on(threads + BATCHES_AHEAD)
        try:
            while waiting:
                done = waiting.popleft().result()
                read_on(1)
                yield done
        finally:
            for future in waiting:
                future.cancel()


def _taken(waiting: deque[T], count: int) -> list[T]:
    return [waiting.popleft() for _ in range(min(count, len(waiting)))]


def _readers(runtime: Runtime) -> int:
    """One thread keeps up with a CPU, which it shares; a GPU wants all the cores there are."""
    return 1 if runtime.device == "cpu" else min(os.cpu_count() or 1, _MOST_READERS)


def _outcomes(
    runtime: Runtime, batch: list[tuple[T, Prepared | Exception]]
) -> list[tuple[T, Outcome | Exception]]:
    fit = [made for _item, made in batch if isinstance(made, Prepared)]
    results: Iterator[Outcome | Exception] = iter(_analysed(runtime, fit))
    return [(item, next(results) if isinstance(made, Prepared) else made) for item, made in batch]


def _analysed(runtime: Runtime, prepared: list[Prepared]) -> list[Outcome | Exception]:
    try:
        return list(analyse_prepared(runtime, prepared))
    except NonFiniteScores as error:
        if len(prepared) == 1:
            return [error]
    # One photo must not spoil the others of its batch.
    return [_analysed(runtime, [one])[0] for one in prepared]
