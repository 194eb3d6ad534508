"""A drawing as encapsulated PostScript. Pure.

Letters are outlines, so that no font is missing anywhere. PostScript knows no transparency: what is pale is mixed with
the white below it, as in the PDF.
"""

from collections.abc import Sequence

from classifier.plots import letters
from classifier.plots.canvas import CIRCLE, DASHES, Box, Dot, Drawing, Line, Mark, Shape, Text
from classifier.plots.pdf import MM, mixed


def to_eps(drawing: Drawing, width_mm: float) -> bytes:
    scale = width_mm * MM / drawing.width
    width, height = drawing.width * scale, drawing.height * scale
    used = sorted({one for mark in drawing.marks if isinstance(mark, Text) for one in mark.text})
    lines = [
        "%!PS-Adobe-3.0 EPSF-3.0",
        f"%%BoundingBox: 0 0 {-int(-width // 1)} {-int(-height // 1)}",
        f"%%HiResBoundingBox: 0 0 {width:.3f} {height:.3f}",
        "%%Creator: SkinClinic",
        f"%%Title: {drawing.title.encode('ascii', 'replace').decode()}",
        "%%LanguageLevel: 2",
        "%%EndComments",
        "gsave",
        *(f"/l{ord(one)} {{{_outline(one)}}} bind def" for one in used),
        # Counted downwards, as the drawing is.
        f"{scale:.6f} dup neg scale 0 {-drawing.height:.2f} translate 1 setlinejoin",
        *(_mark(mark) for mark in drawing.marks),
        "grestore",
        "showpage",
        "%%EOF",
    ]
    return "\n".join(lines).encode("ascii")


def _outline(character: str) -> str:
    parts, here = [], (0.0, 0.0)
    for kind, values in letters.outline(character):
        if kind == "Q":
            bend, end = values[:2], values[2:]
            # A quadratic bend as the cubic one that PostScript has.
            first, second = (
                [edge + 2 / 3 * (middle - edge) for edge, middle in zip(side, bend, strict=True)]
                for side in (here, end)
            )
            values = (*first, *second, *end)
        word = {"M": "moveto", "L": "lineto", "Q": "curveto", "Z": "closepath"}[kind]
        parts.append(" ".join([*(f"{value:.0f}" for value in values), word]))
        here = (values[-2], values[-1]) if values else here
    return " ".join(parts)


def _mark(mark: Mark) -> str:
    if isinstance(mark, Line):
        dash = " ".join(f"{length:g}" for length in DASHES[mark.dash])
        pen = f"{_colour(mark.colour)} {mark.width:g} setlinewidth [{dash}] 0 setdash"
        return f"{pen} {_path(mark.points)} stroke [] 0 setdash"
    if isinstance(mark, Box):
        place = f"{mark.x:.2f} {mark.y:.2f} {mark.width:.2f} {mark.height:.2f}"
        return f"{_colour(mark.colour, mark.opacity)} {place} rectfill"
    if isinstance(mark, Dot):
        return f"{_colour(mark.colour)} newpath {mark.x:.2f} {mark.y:.2f} {mark.radius:g} 0 360 arc fill"
    if isinstance(mark, Shape):
        return _shape(mark)
    return _text(mark)


def _colour(colour: str, opacity: float = 1) -> str:
    return f"{mixed(colour, opacity)} setrgbcolor"


def _path(points: Sequence[tuple[float, float]]) -> str:
    first, *rest = (f"{x:.2f} {y:.2f}" for x, y in points)
    return " ".join([f"newpath {first} moveto", *(f"{point} lineto" for point in rest)])


def _shape(mark: Shape) -> str:
    if mark.shape == CIRCLE:
        path = f"newpath {mark.x:.2f} {mark.y:.2f} {mark.radius:g} 0 360 arc closepath"
    else:
        path = f"{_path(mark.corners)} closepath"
    fill = "" if mark.hollow else f"gsave {_colour(mark.colour)} fill grestore "
    return f"{path} {fill}{_colour(mark.rim)} {mark.rim_width:g} setlinewidth stroke"


def _text(mark: Text) -> str:
    scale = mark.size / 1000
    parts = [f"gsave {_colour(mark.colour)} {mark.x:.2f} {mark.y:.2f} translate"]
    if mark.turned:
        parts.append("-90 rotate")
    parts.append(f"{scale:.6f} dup neg scale {mark.start / scale:.0f} 0 translate newpath")
    for one in mark.text:
        if letters.outline(one):
            parts.append(f"l{ord(one)}")
        parts.append(f"{1000 * letters.advance(one):.0f} 0 translate")
    if mark.bold:
        parts.append(f"gsave {1000 * mark.rim / mark.size:.0f} setlinewidth stroke grestore")
    parts.append("fill grestore")
    return " ".join(parts)
