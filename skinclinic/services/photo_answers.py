"""What a model says of single photos, for pages of the clinic's own app, which knows no model.

An app that produces answers registers its function when it starts.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from skinclinic.models import Member, Photo, User

# Whether a photo is like those that the model was trained on.
LIKE, UNLIKE, NOT_EVALUABLE = "like", "unlike", "not_evaluable"
STATES = (LIKE, UNLIKE, NOT_EVALUABLE)


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


@dataclass(frozen=True)
class Familiarity:
    """``state``: one of STATES. ``distance``: from the training photos, in parts of the limit above which a photo is
    unlike them; None where it is not evaluable."""

    state: str
    distance: float | None = None


Teller = Callable[[User, Member, Sequence[Photo]], dict[int, PhotoTold]]
tellers: list[Teller] = []
# f(photos) -> of those that have an answer, whether they are like what the model of the last one was trained on.
familiarity_tellers: list[Callable[[Sequence[Photo]], dict[int, Familiarity]]] = []


def told(user: User, member: Member, photos: Sequence[Photo]) -> dict[int, PhotoTold]:
    """The answers there are to these photos, by photo, as this member may see them."""
    return {pk: one for tell in tellers for pk, one in tell(user, member, photos).items()}


def familiarity(photos: Iterable[Photo | None]) -> dict[int, Familiarity]:
    """Of those of the photos that have an answer, whether they are like what the model of the last one was trained on,
    for lists: one query for any number of photos, none for none. Whether that may be seen is for the caller to ask."""
    wanted = [photo for photo in photos if photo is not None]
    return {pk: one for tell in familiarity_tellers for pk, one in tell(wanted).items()} if wanted else {}


def unlike(photos: Iterable[Photo | None]) -> set[int]:
    """Keys of those that are unlike them."""
    return {pk for pk, one in familiarity(photos).items() if one.state == UNLIKE}
