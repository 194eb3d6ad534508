"""The body picture with numbers where lesions lie, as a drawing. Pure.

The picture is that of the pages: its outlines are read from their template.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from reportlab.graphics.shapes import Circle, Drawing, Group, String
from reportlab.graphics.shapes import Path as Outline
from reportlab.lib import colors

from classifier.plots.pdf import FONT, use_font
from skinclinic.vocabulary.laterality import PICTURE, SIZE, regions

_PANELS = re.compile(r'<path class="body-map-line[^"]*" d="([^"]+)"')
_STEPS = re.compile(r"([MLCZ])([^MLCZ]*)")
_LINE, _INK, _PAPER = (colors.HexColor(code) for code in ("#849195", "#0b6b74", "#ffffff"))
RADIUS = 9


@dataclass(frozen=True)
class Place:
    """A number on the picture: at a share of its width and height, or (None) in the middle of the site."""

    number: int
    site: str
    x: float | None = None
    y: float | None = None


@cache
def _outlines() -> tuple[tuple[tuple[str, tuple[float, ...]], ...], ...]:
    """Each outline as steps: a letter of SVG and its numbers."""
    return tuple(
        tuple(
            (letter, tuple(float(number) for number in re.findall(r"-?[\d.]+", numbers)))
            for letter, numbers in _STEPS.findall(line)
        )
        for line in _PANELS.findall(PICTURE.read_text(encoding="utf-8"))
    )


@cache
def _centres() -> dict[str, tuple[float, float]]:
    found: dict[str, tuple[float, float]] = {}
    for site, x, y, _side in regions():
        found.setdefault(site, (x, y))
    return found


def body_picture(places: Sequence[Place], width: float) -> Drawing:
    """The picture, so wide in points. Numbers of one site stand side by side; a light one marks a site without an
    exact place."""
    use_font()
    scale = width / SIZE[0]
    marks = Group(transform=(scale, 0, 0, -scale, 0, SIZE[1] * scale))
    for steps in _outlines():
        marks.add(_outline(steps))
    taken: list[tuple[float, float]] = []
    for one in places:
        is_exact = one.x is not None and one.y is not None
        at = (one.x * SIZE[0], one.y * SIZE[1]) if is_exact else _centres().get(one.site)  # type: ignore[operator]  # neither is None
        if at is None:
            continue
        while not is_exact and any(
            abs(at[0] - x) < 2 * RADIUS and abs(at[1] - y) < 2 * RADIUS for x, y in taken
        ):
            at = (at[0] + 2 * RADIUS, at[1])
        taken.append(at)
        fill, ink = (_INK, _PAPER) if is_exact else (_PAPER, _INK)
        marks.add(Circle(*at, RADIUS, fillColor=fill, strokeColor=_INK, strokeWidth=1))
        number = Group(transform=(1, 0, 0, -1, at[0], at[1] + 3.6))
        number.add(
            String(0, 0, str(one.number), fontName=FONT, fontSize=10, fillColor=ink, textAnchor="middle")
        )
        marks.add(number)
    drawing = Drawing(width, SIZE[1] * scale)
    drawing.add(marks)
    return drawing


def _outline(steps: Sequence[tuple[str, tuple[float, ...]]]) -> Outline:
    line = Outline(fillColor=None, strokeColor=_LINE, strokeWidth=1)
    for letter, numbers in steps:
        if letter == "M":
            line.moveTo(*numbers[:2])
        elif letter == "L":
            for at in range(0, len(numbers), 2):
                line.lineTo(*numbers[at : at + 2])
        elif letter == "C":
            for at in range(0, len(numbers), 6):
                line.curveTo(*numbers[at : at + 6])
        else:
            line.closePath()
    return line
