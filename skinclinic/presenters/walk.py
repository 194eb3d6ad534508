"""What a case's page shows of the list that it was opened from."""

from dataclasses import dataclass

from django.http import HttpRequest

from skinclinic.models import Lesion, Member, User
from skinclinic.services import worklist
from skinclinic.services.worklist_walk import Place, Reader, Walk
from skinclinic.web import keyset
from skinclinic.web.addresses import url


@dataclass(frozen=True)
class Shown:
    """Addresses around a case in its list; "" where there is none."""

    place: Place
    is_many: bool
    view: str
    query: str
    previous_url: str
    next_url: str
    undecided_url: str
    list_url: str


def case_url(lesion: Lesion, walk: Walk | None = None) -> str:
    """The page of a case: its newest photo, or the lesion where there is none."""
    page = url("photo", lesion.opens_id) if lesion.opens_id else url("lesion", lesion.pk)
    return page + (walk.query() if walk else "")


def list_url(walk: Walk, lesion: Lesion | None = None) -> str:
    """The list, at the row of the case."""
    page = url("worklist")
    if lesion is None:
        return page + walk.filters.address()
    return page + walk.filters.address(at=walk.at, case=str(lesion.pk)) + f"#case-{lesion.pk}"


def walk_of(request: HttpRequest, user: User, member: Member, lesion: Lesion) -> Shown | None:
    """None for a case that was not opened from a list."""
    walk = Walk.read(request.GET)
    if walk is None:
        return None
    reader = Reader(member, user, walk)
    try:
        place = reader.place(lesion)
    except keyset.BadCursor:
        return None
    return Shown(
        place=place,
        is_many=place.total > worklist.MOST_COUNTED,
        view=walk.filters.view,
        query=walk.query(),
        previous_url=case_url(place.previous, reader.at(place.previous)) if place.previous else "",
        next_url=case_url(place.next, reader.at(place.next)) if place.next else "",
        undecided_url=url("worklist-next") + walk.query(),
        list_url=list_url(walk, lesion),
    )
