"""A photo whose stored file is gone or damaged: what is known of it is there, and the file can come back."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.http import Http404
from django.utils.translation import gettext as _

CODE = "photo_lost"


class PhotoLost(Http404):
    """Raised by what shows a photo instead of Http404, so that nobody takes the photo for deleted."""

    def __str__(self) -> str:
        return _(
            "The stored file of this photo is gone or damaged; what is known of it is kept. Send the same photo again, "
            "which gives it back, or have an administrator restore it from a backup."
        )


class PictureLost(PhotoLost):
    """The same for somebody from outside, who has no photo to send."""

    def __str__(self) -> str:
        return _("The file of this photo is not there at the moment. Tell whoever has asked you.")


@contextmanager
def photo_needed(kind: type[PhotoLost] = PhotoLost) -> Iterator[None]:
    """For a block that reads a stored photo: where its file is gone or no picture, raise PhotoLost."""
    try:
        yield
    except OSError:
        raise kind from None
