"""The letters of every figure: how wide they are and what their outlines are. Pure.

Files that may not depend on a font at hand (SVG, EPS) hold outlines; a PDF embeds the font itself.
"""

import struct
from collections.abc import Iterable
from functools import cache
from itertools import pairwise
from pathlib import Path

from reportlab.pdfbase.ttfonts import TTFontFile

FONT_FILE = Path(__file__).resolve().parents[2] / "static/vendor/pretendard-1.3.9/Pretendard-Regular.ttf"
# On the curve; flags of TrueType outlines and of composed glyphs.
_ON, _X_SHORT, _Y_SHORT, _REPEAT, _X_SAME, _Y_SAME = 1, 2, 4, 8, 16, 32
_WORDS, _IS_XY, _SCALE, _MORE, _XY_SCALE, _TWO_BY_TWO = 1, 2, 8, 32, 64, 128
# A step of an outline: M, L, Q or Z with its coordinates, y upwards, in thousandths of the letter's size.
Step = tuple[str, tuple[float, ...]]
_Point = tuple[bool, float, float]


@cache
def font() -> TTFontFile:
    return TTFontFile(str(FONT_FILE))


@cache
def advance(character: str) -> float:
    """How far the pen goes on, as a share of the letters' size."""
    face = font()
    width: float = face.charWidths.get(ord(character), face.defaultWidth)
    return width / 1000


def text_width(text: str, size: float) -> float:
    return size * sum(map(advance, text))


@cache
def outline(character: str) -> tuple[Step, ...]:
    """The steps that draw a character; none for a space or one that the font does not have."""
    face = font()
    glyph = face.charToGlyph.get(ord(character))
    if glyph is None:
        return ()
    scale = 1000 / face.unitsPerEm
    return tuple(
        (kind, tuple(value * scale for value in values))
        for contour in _contours(glyph)
        for kind, values in _steps(contour)
    )


@cache
def _glyphs() -> bytes:
    table: bytes = font().get_table("glyf")
    return table


def _contours(glyph: int) -> list[list[_Point]]:
    start, end = font().glyphPos[glyph : glyph + 2]
    if start == end:
        return []
    data = _glyphs()[start:end]
    (count,) = struct.unpack_from(">h", data)
    return _simple(data, count) if count >= 0 else _composed(data)


def _simple(data: bytes, count: int) -> list[list[_Point]]:
    ends = struct.unpack_from(f">{count}H", data, 10)
    at = 10 + 2 * count
    at += 2 + struct.unpack_from(">H", data, at)[0]
    flags: list[int] = []
    while len(flags) <= ends[-1]:
        flag = data[at]
        at += 1
        flags.append(flag)
        if flag & _REPEAT:
            flags += [flag] * data[at]
            at += 1
    xs, at = _coordinates(data, at, flags, _X_SHORT, _X_SAME)
    ys, at = _coordinates(data, at, flags, _Y_SHORT, _Y_SAME)
    points = [(bool(flag & _ON), x, y) for flag, x, y in zip(flags, xs, ys, strict=True)]
    edges = [0, *(end + 1 for end in ends)]
    return [points[first:last] for first, last in pairwise(edges)]


def _coordinates(
    data: bytes, at: int, flags: Iterable[int], short: int, same: int
) -> tuple[list[float], int]:
    found: list[float] = []
    value = 0
    for flag in flags:
        if flag & short:
            value += data[at] if flag & same else -data[at]
            at += 1
        elif not flag & same:
            value += struct.unpack_from(">h", data, at)[0]
            at += 2
        found.append(value)
    return found, at


def _composed(data: bytes) -> list[list[_Point]]:
    """A glyph put together of others, each moved and scaled."""
    found, at, flags = [], 10, _MORE
    while flags & _MORE:
        flags, part = struct.unpack_from(">HH", data, at)
        at += 4
        dx, dy = struct.unpack_from(">hh" if flags & _WORDS else ">bb", data, at)
        at += 4 if flags & _WORDS else 2
        if not flags & _IS_XY:
            dx = dy = 0
        count = 1 if flags & _SCALE else 2 if flags & _XY_SCALE else 4 if flags & _TWO_BY_TWO else 0
        given = [value / 16384 for value in struct.unpack_from(f">{count}h", data, at)]
        at += 2 * count
        a, b, c, d = {0: (1, 0, 0, 1), 1: (*given, 0, 0, *given), 2: (*given[:1], 0, 0, *given[1:])}.get(
            count, given
        )
        found += [
            [(on, a * x + c * y + dx, b * x + d * y + dy) for on, x, y in contour]
            for contour in _contours(part)
        ]
    return found


def _steps(contour: list[_Point]) -> list[Step]:
    """Between two points off the curve lies one on it, halfway."""
    whole: list[_Point] = []
    for point, after in zip(contour, [*contour[1:], contour[0]], strict=True):
        whole.append(point)
        if not point[0] and not after[0]:
            whole.append((True, (point[1] + after[1]) / 2, (point[2] + after[2]) / 2))
    first = next(place for place, point in enumerate(whole) if point[0])
    whole = [*whole[first:], *whole[: first + 1]]
    steps: list[Step] = [("M", whole[0][1:])]
    bend: tuple[float, ...] = ()
    for on, x, y in whole[1:]:
        if not on:
            bend = (x, y)
        elif bend:
            steps.append(("Q", (*bend, x, y)))
            bend = ()
        else:
            steps.append(("L", (x, y)))
    return [*steps, ("Z", ())]
