"""Taking a photo in: stored and its analysis asked for, in one transaction."""

from collections.abc import Callable

from classifier.services.analysis.analyses import NoModel, current_analysis, request_analysis, retry_lost
from skinclinic.imaging.boxes import BoxLike
from skinclinic.models import Clinic, Lesion, Photo, User
from skinclinic.services.photos import Taken, store_photo
from skinclinic.services.squares import add_square
from skinclinic.web import counted


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
    lesion: Lesion | Callable[[], Lesion] | None = None,
    kind: str,
    taken: Taken | None = None,
) -> tuple[Photo, bool]:
    """Store an uploaded file and ask for its analysis; return the photo and whether it is new.

    Without a model the photo is kept and waits for one. A known photo that gets a lost file back is analysed again
    where that had failed of it. Raises imaging.PhotoRejected, decoding.Busy and
    files.StorageFull, and what ``lesion`` raises (see ``store_photo``); in all cases nothing is stored.
    """

    def ask(photo: Photo) -> None:
        _ask(photo, user)

    with counted.refusals(counted.photos):
        photo, is_new = store_photo(
            clinic=clinic,
            user=user,
            data=data,
            name=name,
            lesion=lesion,
            kind=kind,
            taken=taken,
            together_with=ask,
        )
    counted.photos.labels("stored" if is_new else "known").inc()
    if photo.given_back:
        retry_lost(clinic, photo.sha256)
    if not is_new and current_analysis(photo) is None:
        ask(photo)
    return photo, is_new


def add_lesion(photo: Photo, box: BoxLike, user: User) -> tuple[Photo, bool]:
    """Another lesion in the picture of a stored photo, with its own square, whose analysis is asked for at once; and
    whether it is new. Raises as ``squares.add_square``."""
    return add_square(photo, box, user, together_with=lambda made: _ask(made, user))
