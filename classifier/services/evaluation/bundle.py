"""Many figures as files, each in a folder of its kind, with a page that says what each shows."""

from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from html import escape
from itertools import groupby
from urllib.parse import quote

from django.utils.translation import get_language

from classifier.plots.figures import Figure
from classifier.services.evaluation.figure_files import Print, figure_file, picture
from skinclinic.engine import side_by_side

INDEX = "index.html"
# Every figure as these, unless others are asked for.
USUAL = ("svg", "pdf", "png", "csv")
PIXELS = {"png", "tiff"}
# What makes a figure, and the folder it belongs into: empty, or with a stroke at its end.
Makers = Sequence[tuple[str, Callable[[], Figure]]]
File = tuple[str, bytes]
# (file, what it shows) of all that was written.
Said = list[tuple[str, str]]
_AHEAD = 32


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
    """The same, drawn side by side from now on."""
    with side_by_side.begun([partial(_drawn, *one, kinds, how) for one in makers if kinds]) as drawn:
        yield _named(drawn, kinds, said)


def _drawn(
    folder: str, make: Callable[[], Figure], kinds: Sequence[str], how: Print
) -> tuple[str, str, str, list[bytes]]:
    """Folder, name, caption and files of a figure; no file where there is nothing to draw."""
    asked = f"{folder}{', '.join(filter(None, map(str, getattr(make, 'args', ()))))}"
    try:
        figure = make()
        if figure.drawing is None:
            return folder, figure.name, "", []
        page = _page(figure, kinds, how)
        return folder, figure.name, figure.caption, [_content(figure, kind, how, page) for kind in kinds]
    except Exception as error:
        error.add_note(f"The figure {asked} could not be drawn.")
        raise


def _named(
    drawn: Iterator[tuple[str, str, str, list[bytes]]], kinds: Sequence[str], said: Said
) -> Iterator[File]:
    names = _Names()
    for folder, name, caption, contents in drawn:
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
