"""A drawing as SVG: in a page with its colours and letters, or as a file that needs no font. Pure."""

from collections.abc import Callable
from functools import cache, lru_cache
from xml.sax.saxutils import escape, quoteattr

from classifier.plots import letters
from classifier.plots.canvas import CIRCLE, COLOURS, DASHES, Box, Dot, Drawing, Line, Mark, Shape, Text


def to_svg(drawing: Drawing, kind: str = "fig") -> str:
    """For a page: colours are classes (``fig-blue``, ``fig-line-blue``), letters are text. ``kind``: of the whole."""
    size = f'viewBox="0 0 {drawing.width:g} {drawing.height:g}"'
    marks = (_mark(mark, _fill_class, _line_class, _text) for mark in drawing.marks)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="{kind}" role="img" {size}>'
        f"<title>{escape(drawing.title)}</title>{''.join(marks)}</svg>"
    )


def to_svg_file(drawing: Drawing, width_mm: float) -> str:
    """For a file: colours are in it, letters are outlines, and what they say is their label."""
    height_mm = width_mm * drawing.height / drawing.width
    used: set[str] = set()

    def write(mark: Text, fill: str) -> str:
        used.update(mark.text)
        return _outlined(mark, fill)

    marks = [_mark(mark, _fill, _line, write) for mark in drawing.marks]
    defined = (f'<path id="l{ord(one)}" d="{steps}"/>' for one in sorted(used) if (steps := _path(one)))
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" role="img" '
        f'viewBox="0 0 {drawing.width:g} {drawing.height:g}" width="{width_mm:g}mm" height="{height_mm:.2f}mm">'
        f"<title>{escape(drawing.title)}</title><desc>{escape(drawing.origin)}</desc><defs>{''.join(defined)}</defs>"
        f'<rect width="100%" height="100%" fill="{COLOURS["surface"]}"/>{"".join(marks)}</svg>'
    )


def _fill(colour: str) -> str:
    return f'fill="{COLOURS[colour]}"'


def _line(colour: str) -> str:
    return f'stroke="{COLOURS[colour]}"'


def _fill_class(colour: str) -> str:
    return f'class="fig-{colour}"'


def _line_class(colour: str) -> str:
    return f'class="fig-line-{colour}"'


Colour = Callable[[str], str]


def _mark(mark: Mark, fill: Colour, line: Colour, write: Callable[[Text, str], str]) -> str:
    if isinstance(mark, Line):
        points = " ".join(f"{x:.2f},{y:.2f}" for x, y in mark.points)
        dash = f' stroke-dasharray="{" ".join(map(str, DASHES[mark.dash]))}"' if mark.dash else ""
        return f'<polyline points="{points}" fill="none" {line(mark.colour)} stroke-width="{mark.width:g}"{dash}/>'
    if isinstance(mark, Box):
        opacity = "" if mark.opacity == 1 else f' fill-opacity="{mark.opacity:.3f}"'
        place = f'x="{mark.x:.2f}" y="{mark.y:.2f}" width="{mark.width:.2f}" height="{mark.height:.2f}"'
        return f"<rect {place} {fill(mark.colour)}{opacity}/>"
    if isinstance(mark, Dot):
        return f'<circle cx="{mark.x:.2f}" cy="{mark.y:.2f}" r="{mark.radius:g}" {fill(mark.colour)}/>'
    if isinstance(mark, Shape):
        return _shape(mark, fill, line)
    return write(mark, fill(mark.colour))


def _shape(mark: Shape, fill: Colour, line: Colour) -> str:
    inside, rim = fill(mark.colour), line(mark.rim)
    if mark.hollow:
        how = f'fill="none" {rim}'
    elif inside.startswith("class"):
        how = f'class="fig-{mark.colour} fig-line-{mark.rim}"'
    else:
        how = f"{inside} {rim}"
    how += f' stroke-width="{mark.rim_width:g}"'
    if mark.shape == CIRCLE:
        return f'<circle cx="{mark.x:.2f}" cy="{mark.y:.2f}" r="{mark.radius:g}" {how}/>'
    points = " ".join(f"{x:.2f},{y:.2f}" for x, y in mark.corners)
    return f'<polygon points="{points}" stroke-linejoin="round" {how}/>'


def _text(mark: Text, fill: str) -> str:
    turn = f' transform="rotate(-90 {mark.x:.2f} {mark.y:.2f})"' if mark.turned else ""
    weight = ' font-weight="600"' if mark.bold else ""
    how = f'font-size="{mark.size:g}" text-anchor={quoteattr(mark.anchor)}{weight}{turn}'
    return f'<text x="{mark.x:.2f}" y="{mark.y:.2f}" {fill} {how}>{escape(mark.text)}</text>'


def _outlined(mark: Text, fill: str) -> str:
    scale = mark.size / 1000
    turn = " rotate(-90)" if mark.turned else ""
    # There is one weight of the font: a rim of the same colour makes it heavier.
    rim = (
        f' {fill.replace("fill", "stroke")} stroke-width="{1000 * mark.rim / mark.size:.0f}"'
        if mark.bold
        else ""
    )
    place = f'transform="translate({mark.x:.2f} {mark.y:.2f}){turn} scale({scale:.5g})"'
    return f"<g {place} {fill}{rim} aria-label={quoteattr(mark.text)}>{_letters(mark.text, mark.start / scale)}</g>"


# The figures of a study have most of their words in common.
@lru_cache(maxsize=4096)
def _letters(text: str, at: float) -> str:
    """Each letter in its place, from ``at`` on, in thousandths of their size."""
    parts = []
    for one in text:
        if letters.outline(one):
            parts.append(f'<use xlink:href="#l{ord(one)}" x="{at:.0f}"/>')
        at += 1000 * letters.advance(one)
    return "".join(parts)


@cache
def _path(character: str) -> str:
    # The letters' outlines count upwards, SVG downwards.
    return "".join(
        kind + " ".join(f"{-value if place % 2 else value:.0f}" for place, value in enumerate(values))
        for kind, values in letters.outline(character)
    )
