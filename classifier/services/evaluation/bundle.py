"""Many figures as files, each in a folder of its kind, with a page that says what each shows."""

import multiprocessing
import os
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from html import escape
from itertools import groupby
from typing import TypeVar, cast
from urllib.parse import quote

from django.utils.translation import get_language

from classifier.plots.figures import Figure
from classifier.services.evaluation.figure_files import Print, figure_file, picture

INDEX = "index.html"
# Every figure as these, unless others are asked for.
USUAL = ("svg", "pdf", "png", "csv")
PIXELS = {"png", "tiff"}
# What makes a figure, and the folder it belongs into: empty, or with a stroke at its end.
Makers = Sequence[tuple[str, Callable[[], Figure]]]
File = tuple[str, bytes]
# (file, what it shows) of all that was written.
Said = list[tuple[str, str]]
T = TypeVar("T")
_AHEAD = 32
_MOST_PROCESSES = 4


def files(makers: Makers, kinds: Sequence[str], how: Print, said: Said) -> Iterator[File]:
    """Every figure that has something to show as each of ``kinds``; what each shows is added to ``said``."""
    names = _Names()
    # Most of a picture's time is its compression, which lets other threads work.
    with ThreadPoolExecutor() as pool:
        waiting: deque[tuple[str, Future[bytes]]] = deque()
        for folder, make in makers if kinds else ():
            figure = make()
            stem = names.of(folder, figure.name)
            if figure.drawing is None:
                continue
            page = _page(figure, kinds, how)
            for kind in kinds:
                said.append((f"{stem}.{kind}", figure.caption))
                if kind in PIXELS:
                    waiting.append((f"{stem}.{kind}", pool.submit(picture, page, kind, how.dpi)))
                else:
                    yield f"{stem}.{kind}", _content(figure, kind, how, page)
            # No more are held at a time than there is work for.
            while len(waiting) > _AHEAD:
                name, drawn = waiting.popleft()
                yield name, drawn.result()
        for name, drawn in waiting:
            yield name, drawn.result()


@contextmanager
def begun(makers: Makers, kinds: Sequence[str], how: Print, said: Said) -> Iterator[Iterator[File]]:
    """The same, drawn by other processes as well from now on where that may be; for commands, which hold no connection
    to a database."""
    if not (kinds and _may_fork()):
        yield files(makers, kinds, how, said)
        return
    # This one draws as well, once it has written everything else.
    count = min(_processors(), _MOST_PROCESSES) - 1
    fork = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(count, fork, initializer=_begin, initargs=(makers, kinds, how)) as pool:
        drawn = [pool.submit(_draw, place) for place in range(len(makers))]
        try:
            yield _collected(makers, kinds, how, drawn, said)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


@contextmanager
def meanwhile(make: Callable[[], T]) -> Iterator[Callable[[], T]]:
    """What another process makes from now on, where that may be: asked for, it is waited for. Ask before ``begun``."""
    if not _may_fork():
        yield make
        return
    fork = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(1, fork, initializer=_begin_with, initargs=(make,)) as pool:
        made = pool.submit(_make)

        def found() -> T:
            try:
                return cast(T, made.result())
            except BrokenProcessPool:
                return make()
            finally:
                # Its threads must have ended before others are forked.
                pool.shutdown()

        yield found


def _may_fork() -> bool:
    """Not where other threads run, whose locks would stay locked, nor in a process that may have no children."""
    is_free = threading.active_count() == 1 and not multiprocessing.current_process().daemon
    return is_free and "fork" in multiprocessing.get_all_start_methods() and _processors() > 1


def _processors() -> int:
    has_affinity = hasattr(os, "sched_getaffinity")
    return len(os.sched_getaffinity(0)) if has_affinity else os.cpu_count() or 1


# What a process was begun with that makes one thing, and what one that draws.
_made_by: Callable[[], object] = dict
_work: tuple[Makers, Sequence[str], Print] = ((), (), Print())


def _begin(makers: Makers, kinds: Sequence[str], how: Print) -> None:
    global _work
    _work = makers, kinds, how


def _begin_with(make: Callable[[], object]) -> None:
    global _made_by
    _made_by = make


def _make() -> object:
    return _made_by()


def _draw(place: int) -> tuple[str, str, list[bytes]]:
    """Name, caption and files of a figure; no file where there is nothing to draw."""
    makers, kinds, how = _work
    return _drawn(makers[place][1](), kinds, how)


def _drawn(figure: Figure, kinds: Sequence[str], how: Print) -> tuple[str, str, list[bytes]]:
    if figure.drawing is None:
        return figure.name, "", []
    page = _page(figure, kinds, how)
    return figure.name, figure.caption, [_content(figure, kind, how, page) for kind in kinds]


def _collected(
    makers: Makers, kinds: Sequence[str], how: Print, drawn: Sequence[Future], said: Said
) -> Iterator[File]:
    # What the others have not begun is drawn here, from the end, until they are met.
    here = {}
    for place in reversed(range(len(makers))):
        if not drawn[place].cancel():
            break
        here[place] = _drawn(makers[place][1](), kinds, how)
    names = _Names()
    for place, (folder, make) in enumerate(makers):
        try:
            name, caption, contents = here.pop(place) if place in here else drawn[place].result()
        except BrokenProcessPool:
            # A process was killed, for its memory perhaps: this one goes on alone.
            name, caption, contents = _drawn(make(), kinds, how)
        stem = names.of(folder, name)
        for kind, content in zip(kinds, contents, strict=False):
            said.append((f"{stem}.{kind}", caption))
            yield f"{stem}.{kind}", content


def _page(figure: Figure, kinds: Sequence[str], how: Print) -> bytes:
    """The PDF, of which pictures are made as well."""
    return figure_file(figure, "pdf", how) if PIXELS.intersection(kinds) else b""


def _content(figure: Figure, kind: str, how: Print, page: bytes) -> bytes:
    if kind in PIXELS:
        return picture(page, kind, how.dpi)
    return page if page and kind == "pdf" else figure_file(figure, kind, how)


class _Names:
    """Files' names without their ends. Names of datasets may differ in what file names leave out."""

    def __init__(self) -> None:
        self._count: Counter[str] = Counter()

    def of(self, folder: str, name: str) -> str:
        self._count[name] += 1
        number = self._count[name]
        return f"{folder}{name if number == 1 else f'{name}-{number}'}"


def index(title: str, said: Sequence[tuple[str, str]]) -> bytes:
    """The list of files as a page that needs nothing but itself. Files of one figure are one line."""
    lines: dict[tuple[str, str], list[str]] = {}
    for name, text in said:
        lines.setdefault((name.rpartition(".")[0], text), []).append(name)
    parts = [
        f'<!doctype html><html lang="{get_language() or "en"}"><head><meta charset="utf-8">'
        f"<title>{escape(title)}</title></head><body><h1>{escape(title)}</h1>"
    ]

    def folder(line: tuple[tuple[str, str], list[str]]) -> str:
        return line[1][0].rpartition("/")[0]

    for here, found in groupby(sorted(lines.items(), key=folder), key=folder):
        parts.append(f"<h2>{escape(here) or '.'}</h2><ul>")
        for (_stem, text), names in found:
            links = " ".join(f'<a href="{quote(name)}">{escape(_shown(name, names))}</a>' for name in names)
            parts.append(f"<li>{escape(text)}: {links}</li>")
        parts.append("</ul>")
    return "".join([*parts, "</body></html>"]).encode()


def _shown(name: str, names: Sequence[str]) -> str:
    return name.rpartition("/")[2] if len(names) == 1 else name.rpartition(".")[2]
