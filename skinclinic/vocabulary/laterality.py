"""On which side of the patient a place of the body picture lies: as the picture itself says, and only of sites that
there are two of."""

import re
from functools import cache
from pathlib import Path

PICTURE = Path(__file__).parents[2] / "templates/components/body_map_picture.html"
# Pixels of the picture, of which a lesion's place is a share.
SIZE = (770, 500)
_REGION = re.compile(
    r'data-site="([^"]+)" data-centre="([\d.]+) ([\d.]+)"[^>]*?'
    r'aria-label="\{% site_name "[^"]+"(?: "(left|right)")? %\}"'
)
LEFT, RIGHT = "L", "R"


@cache
def regions() -> tuple[tuple[str, float, float, str], ...]:
    """(site, x and y of its middle in pixels, LEFT, RIGHT or "") of each place of the picture."""
    return tuple(
        (site, float(x), float(y), {"left": LEFT, "right": RIGHT}.get(side, ""))
        for site, x, y, side in _REGION.findall(PICTURE.read_text(encoding="utf-8"))
    )


def side_of(site: str, x: float | None, y: float | None) -> str:
    """ "L" or "R" of a site and its exact place (shares of width and height); "" where there is none, or the site has
    no sides."""
    if x is None or y is None:
        return ""
    at = (x * SIZE[0], y * SIZE[1])
    places = [
        ((at[0] - left) ** 2 + (at[1] - top) ** 2, side) for one, left, top, side in regions() if one == site
    ]
    return min(places)[1] if places else ""
