"""Which photos of a lesion are compared and how: what the address asks, made good."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.http import QueryDict

from skinclinic.models import Photo
from skinclinic.services.photo_answers import PhotoTold

SIDE, SWIPE, FLICKER = "side", "swipe", "flicker"
PLACES = ("a", "b", "c")


@dataclass(frozen=True)
class Comparison:
    """``shown``: the photos in their places A, B and C; with fewer than two there is nothing to lay over another."""

    photos: Sequence[Photo]
    shown: Sequence[Photo]
    mode: str = SIDE
    aligns: bool = True

    @property
    def placed(self) -> list[tuple[str, Photo]]:
        """[("A", photo), …]"""
        return [(place.upper(), photo) for place, photo in zip(PLACES, self.shown, strict=False)]

    @property
    def chosen(self) -> dict[str, int]:
        return {place: photo.pk for place, photo in zip(PLACES, self.shown, strict=False)}

    @property
    def offered(self) -> tuple[str, ...]:
        """The places that photos can be put into."""
        return PLACES[: len(self.photos)]

    @property
    def models(self) -> list[str]:
        """The models whose answers stand on the page, at these photos, at those to choose from and over time: it names
        them once."""
        answers = [getattr(photo, "answer", None) for photo in self.photos]
        return sorted({one.model for one in answers if isinstance(one, PhotoTold) and one.model})


def taken(photo: Photo) -> tuple[datetime, int]:
    """The order of photos over time."""
    return photo.captured_at or photo.created_at, photo.pk


def comparison(query: QueryDict, photos: Sequence[Photo]) -> Comparison:
    """What ``?a=1&b=2&c=3&mode=swipe&align=on`` asks of the photos, which stand in the order they were taken. What
    names no photo is left out; with none named the last two are shown. ``?photos=1&photos=2`` names them by time."""
    by_key = {str(photo.pk): photo for photo in photos}
    asked = [query.get(place, "") for place in PLACES]
    if not any(asked):
        named = set(query.getlist("photos"))
        asked = [key for key in by_key if key in named]
    shown = list({key: by_key[key] for key in asked if key in by_key}.values())[: len(PLACES)]
    if not shown:
        shown = list(photos[-2:])
    if len(shown) == 1 and query.get("a") and len(photos) > 1:
        # One of the two was named: beside it the newest other.
        shown.append(next(photo for photo in reversed(photos) if photo is not shown[0]))
    mode = query.get("mode", SIDE)
    # A form says nothing of a box that is not ticked.
    aligns = "mode" not in query or query.get("align") == "on"
    is_known = mode in (SWIPE, FLICKER) and len(shown) > 1
    return Comparison(photos, shown, mode if is_known else SIDE, aligns)
