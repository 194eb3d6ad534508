"""Draw the body picture: write templates/components/body_map_picture.html.

    python -m skinclinic.frontend.body_map

The picture is 770 × 500 units: a face, the body from the front and the back, hands and feet. Outlines are
smooth curves through the points of body_map_shapes.py. A region may reach past its outline, which clips
it, and under the regions painted after it, so that neighbours meet without a gap.
"""

from collections.abc import Sequence
from math import dist
from pathlib import Path

from skinclinic.frontend import body_map_shapes as shapes
from skinclinic.frontend.body_map_shapes import Point, Region, mirror

ROOT = Path(__file__).resolve().parents[2]
TARGET = ROOT / "templates" / "components" / "body_map_picture.html"


def whole(half: Sequence[Point]) -> Sequence[Point]:
    """Close a half outline with its mirror image; points on the middle line are not doubled."""
    return [*half, *(point for point in mirror(half)[::-1] if point[0] != 0)]


def bends(points: Sequence[Point], closed: bool) -> list[tuple[Point, Point, Point, Point]]:
    """Return the cubic Bézier pieces of a Catmull-Rom curve through the points."""
    count = len(points)

    def at(index: int) -> Point:
        return points[index % count] if closed else points[min(max(index, 0), count - 1)]

    pieces = []
    for i in range(count if closed else count - 1):
        before, start, end, after = at(i - 1), at(i), at(i + 1), at(i + 2)
        one = (start[0] + (end[0] - before[0]) / 6, start[1] + (end[1] - before[1]) / 6)
        two = (end[0] - (after[0] - start[0]) / 6, end[1] - (after[1] - start[1]) / 6)
        pieces.append((start, one, two, end))
    return pieces


def curve(points: Sequence[Point], closed: bool = True) -> str:
    pieces = bends(points, closed)
    data = "".join(f"C{number(one)} {number(two)} {number(end)}" for _, one, two, end in pieces)
    return f"M{number(points[0])}{data}{'Z' if closed else ''}"


def polygon(points: Sequence[Point]) -> str:
    return "M" + "L".join(number(point) for point in points) + "Z"


def number(point: Point) -> str:
    return f"{point[0]:.1f},{point[1]:.1f}".replace(".0", "")


def dense(points: Sequence[Point], smooth: bool) -> Sequence[Point]:
    """Return the closed shape as a polygon with many corners."""
    if smooth:
        return [bezier(piece, t / 4) for piece in bends(points, closed=True) for t in range(4)]
    return [
        (ax + (bx - ax) * t / 4, ay + (by - ay) * t / 4)
        for (ax, ay), (bx, by) in zip(points, [*points[1:], *points[:1]], strict=True)
        for t in range(4)
    ]


def bezier(piece: tuple[Point, Point, Point, Point], t: float) -> Point:
    weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3)
    x, y = (
        sum(weight * point[axis] for weight, point in zip(weights, piece, strict=True)) for axis in (0, 1)
    )
    return x, y


def inside(point: Point, outline: Sequence[Point]) -> bool:
    x, y = point
    odd = False
    for (ax, ay), (bx, by) in zip(outline, [*outline[1:], *outline[:1]], strict=True):
        if (ay > y) != (by > y) and x < (bx - ax) * (y - ay) / (by - ay) + ax:
            odd = not odd
    return odd


def centre(region: Sequence[Point], outline: Sequence[Point], above: list[Sequence[Point]]) -> Point:
    """Return the point of region and outline farthest from any edge, where nothing ``above`` covers it."""
    edges = [point for shape in (region, outline, *above) for point in shape]
    xs, ys = [x for x, _ in region], [y for _, y in region]
    step = max(1.0, (max(xs) - min(xs)) / 24)
    best, best_distance = region[0], -1.0
    y = min(ys)
    while y <= max(ys):
        x = min(xs)
        while x <= max(xs):
            point = (x, y)
            seen = inside(point, region) and inside(point, outline)
            if seen and not any(inside(point, shape) for shape in above):
                nearest = min(dist(point, edge) for edge in edges)
                if nearest > best_distance:
                    best, best_distance = point, nearest
            x += step
        y += step
    return best


def region_svg(region: Region, placed: Sequence[Point], middle: Point) -> str:
    side = f' "{region.side}"' if region.side else ""
    data = curve(placed) if region.smooth else polygon(placed)
    if region.site == shapes.LARGER:
        return (
            f'    <path class="body-map-region" data-show="{region.site}" role="button" tabindex="-1" '
            f'aria-label="{{% translate \'Face: go to the larger picture\' %}}" d="{data}"></path>'
        )
    return (
        f'    <path class="body-map-region" data-site="{region.site}" '
        f'data-centre="{middle[0]:.1f} {middle[1]:.1f}" role="button" tabindex="-1" aria-pressed="false" '
        f'aria-label="{{% site_name "{region.site}"{side} %}}" d="{data}"></path>'
    )


def part(name: str, regions, outline, lines, dx=0.0, dy=0.0, scale=1.0, flip=False) -> list[str]:
    """Return the SVG of one outline: its clip, its regions inside it, and the lines over them."""

    def place(points: Sequence[Point]) -> Sequence[Point]:
        return [(dx + (-x if flip else x) * scale, dy + y * scale) for x, y in points]

    shape = curve(place(outline))
    placed = [place(region.points) for region in regions]
    solid = [dense(points, region.smooth) for points, region in zip(placed, regions, strict=True)]
    out = [
        f'  <clipPath id="body-map-{name}"><path d="{shape}"></path></clipPath>',
        f'  <g clip-path="url(#body-map-{name})">',
    ]
    for i, region in enumerate(regions):
        middle = centre(solid[i], dense(place(outline), smooth=True), solid[i + 1 :])
        out.append(region_svg(region, placed[i], middle))
    out.append("  </g>")
    drawn = "".join(curve(place(line), closed=False) for line in lines)
    if drawn:
        out.append(f'  <path class="body-map-line body-map-detail" d="{drawn}"></path>')
    out.append(f'  <path class="body-map-line" d="{shape}"></path>')
    return out


def panel(name: str, view_box: str, label: str, parts: list[str]) -> list[str]:
    head = (
        f'<svg class="body-map-panel body-map-panel-{name}" viewBox="{view_box}" role="group" '
        f"aria-label=\"{{% translate '{label}' %}}\">"
    )
    return [head, *parts, "</svg>"]


def picture() -> str:
    body = whole(shapes.BODY)
    face = [
        *part("ear-left", shapes.ear("left"), shapes.EAR, [], 95, 0),
        *part("ear-right", shapes.ear("right"), shapes.EAR, [], 95, 0, flip=True),
        *part("face", shapes.face(), whole(shapes.FACE), shapes.FACE_LINES, 95, 0),
    ]
    front = part("front", shapes.front(), body, shapes.FRONT_LINES, 285, 0)
    back = part("back", shapes.back(), body, shapes.BACK_LINES, 479, 0)
    hands = [
        *part("hand", shapes.hand("hand"), shapes.HAND, shapes.NAIL_LINES, 578, 8),
        *part("palm", shapes.hand("palm"), shapes.HAND, shapes.PALM_LINES, 762, 8, flip=True),
    ]
    feet = [
        *part("foot", shapes.foot("foot"), shapes.FOOT, shapes.TOENAIL_LINES, 582, 268, scale=1.08),
        *part("sole", shapes.foot("sole"), shapes.FOOT, shapes.SOLE_LINES, 760, 268, scale=1.08, flip=True),
    ]
    lines = [
        "{% load i18n ui %}{# Drawn by skinclinic/frontend/body_map.py. #}",
        *panel("face", "0 66 190 240", "Face", face),
        *panel("front", "186 4 198 496", "Front of the body", front),
        *panel("back", "380 4 198 496", "Back of the body", back),
        *panel("hands", "570 14 200 196", "Hand: back and palm", hands),
        *panel("feet", "570 280 200 206", "Foot: top and sole", feet),
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    TARGET.write_text(picture())
