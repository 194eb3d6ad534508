"""Taking a photo in: stored and its analysis asked for, in one transaction."""

from collections.abc import Callable

from django.db import IntegrityError

from classifier.services.analysis.analyses import NoModel, current_analysis, request_analysis
from skinclinic.imaging.boxes import BoxLike
from skinclinic.models import Clinic, Lesion, Photo, User
from skinclinic.services.capture import LesionGone, Place
from skinclinic.services.photos import store_photo
from skinclinic.services.squares import add_square


def _ask(photo: Photo, user: User | None) -> None:
    try:
        request_analysis(photo, user=user)
    except NoModel:
        return  # the photo is kept and waits for one


def take_in(
    *,
    user: User,
    clinic: Clinic,
    data: bytes,
    name: str,
    lesion: Lesion | None = None,
    kind: str,
    check: Callable[[Photo], None] = lambda photo: None,
) -> tuple[Photo, bool]:
    """Store an uploaded file and ask for its analysis; return the photo and whether it is new.

    Without a model the photo is kept and waits for one. Raises imaging.PhotoRejected and files.StorageFull, and what
    ``check`` raises of a new photo in the transaction that stores it; in all cases nothing is stored.
    """

    def ask(photo: Photo) -> None:
        _ask(photo, user)

    def check_and_ask(photo: Photo) -> None:
        check(photo)
        ask(photo)

    photo, is_new = store_photo(
        clinic=clinic, user=user, data=data, name=name, lesion=lesion, kind=kind, together_with=check_and_ask
    )
    if not is_new and current_analysis(photo) is None:
        ask(photo)
    return photo, is_new


def add_lesion(photo: Photo, box: BoxLike, user: User) -> tuple[Photo, bool]:
    """Another lesion in the picture of a stored photo, with its own square, whose analysis is asked for at once; and
    whether it is new. Raises as ``squares.add_square``."""
    return add_square(photo, box, user, together_with=lambda made: _ask(made, user))


def take_in_at(place: Place, *, user: User, data: bytes, name: str, kind: str) -> tuple[Photo, bool]:
    """The same for a photo of a known patient, with its lesion where that is new: both or neither. Raises
    capture.LesionGone besides."""
    clinic = place.patient.clinic
    for _attempt in range(2):
        lesion = place.home(user)
        try:
            return take_in(
                user=user,
                clinic=clinic,
                data=data,
                name=name,
                lesion=lesion,
                kind=kind,
                check=place.require_here,
            )
        except IntegrityError:
            # Another photo of this place has opened the lesion a moment ago, or it went while this was decoded.
            continue
    raise LesionGone
