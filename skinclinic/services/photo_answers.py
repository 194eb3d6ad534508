"""What a model says of single photos, for pages of the clinic's own app, which knows no model.

An app that produces answers registers its function when it starts.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from skinclinic.models import Member, Photo, User


@dataclass(frozen=True)
class PhotoTold:
    """The answer to one photo. ``state``: of its analysis; ``is_hidden``: the person's own impression comes first;
    ``set_aside``: why it does not count; ``is_doubtful``: the photo was warned about; ``is_unlike``: it is unlike those
    that the model was trained on."""

    state: str
    is_hidden: bool = False
    set_aside: str = ""
    is_doubtful: bool = False
    top_disease: str = ""
    top_score: float | None = None
    malignant_sum: float | None = None
    # The version of the model, by its name.
    model: str = ""
    scores: Mapping[str, float] = field(default_factory=dict)
    is_unlike: bool = False


Teller = Callable[[User, Member, Sequence[Photo]], dict[int, PhotoTold]]
tellers: list[Teller] = []
# f(photos) -> keys of those that are unlike what the model of their last answer was trained on.
unlike_finders: list[Callable[[Sequence[Photo]], set[int]]] = []


def told(user: User, member: Member, photos: Sequence[Photo]) -> dict[int, PhotoTold]:
    """The answers there are to these photos, by photo, as this member may see them."""
    return {pk: one for tell in tellers for pk, one in tell(user, member, photos).items()}


def unlike(photos: Iterable[Photo | None]) -> set[int]:
    """Keys of those of the photos that are unlike what the model of their last answer was trained on, for lists: one
    query for any number of photos, none for none. Whether that may be seen is for the caller to ask."""
    wanted = [photo for photo in photos if photo is not None]
    return {pk for find in unlike_finders for pk in find(wanted)} if wanted else set()
