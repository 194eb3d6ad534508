"""Reading photos from outside: nothing that comes from outside is decoded in a process of the web or a worker itself.

``imaging.limited`` has the processes; here are those of this process, as the settings have them.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

from django.conf import settings

from skinclinic.imaging import AcceptedPhoto, Cover, decoder, limited
from skinclinic.web.come_back import Busy

__all__ = [
    "RETRY_SECONDS",
    "Busy",
    "Covered",
    "accept",
    "check",
    "cover",
    "dicom",
    "expect_place",
    "sender_of",
    "warm",
]

# When it is worth sending the photo again.
RETRY_SECONDS = 5


@dataclass(frozen=True)
class Covered:
    jpeg: bytes
    thumbnail: bytes
    likeness: int


@cache
def decoders() -> limited.Decoders:
    """Of this process; none is started before it is needed."""
    limits = limited.Limits(settings.PHOTO_MEMORY_MB, settings.PHOTO_CPU_SECONDS, settings.PHOTO_SECONDS)
    return limited.Decoders(
        limits,
        most=settings.DECODERS,
        waiting=settings.DECODERS_WAITING,
        patience=settings.DECODERS_PATIENCE,
    )


def warm() -> None:
    """Start all that this process may have, so that the first photo waits for none to start."""
    decoders().warm(settings.DECODERS)


def sender_of(pk: int | None) -> str:
    """What the photos of a user are counted under; "" for nobody's."""
    return f"user {pk}" if pk else ""


def expect_place(sender: str) -> None:
    """Raise Busy where a photo of this sender would be refused at once, before anything else is done for it."""
    try:
        decoders().expect_place(sender)
    except limited.Busy:
        raise Busy(RETRY_SECONDS) from None


def accept(data: bytes, *, sender: str = "", is_patient: bool = False, **limits: int) -> AcceptedPhoto:
    """``imaging.accept``, in a process of its own. Raises imaging.PhotoRejected, Busy.

    ``is_patient``: of a job, which waits as long as it takes.
    """
    return decoder.accepted(*_ask("accept", data, sender=sender, is_patient=is_patient, **limits))


def check(data: bytes) -> tuple[str, ...]:
    """``imaging.check``, for a job. Raises imaging.PhotoRejected."""
    return tuple(_ask("check", data, is_patient=True)[0]["notes"])


def cover(data: bytes, covers: Sequence[Cover], *, sender: str = "") -> Covered:
    """``imaging.covered`` of a stored photo, and its perceptual hash. Raises OSError, Busy."""
    areas = [asdict(area) for area in covers]
    said, (jpeg, thumbnail) = _ask("cover", data, sender=sender, areas=areas)
    return Covered(jpeg, thumbnail, said["likeness"])


def dicom(data: bytes, *, with_picture: bool) -> tuple[dict[str, Any], bytes]:
    """``dicom.reading.read``, for a job. Raises imaging.PhotoRejected where the file costs too much."""
    said, (picture,) = _ask("dicom", data, is_patient=True, with_picture=with_picture)
    return said, picture


def _ask(work: str, data: bytes, **options: Any) -> decoder.Answer:
    try:
        return decoders().ask(work, data, **options)
    except limited.Busy:
        raise Busy(RETRY_SECONDS) from None
