"""How much one clinic may keep, so that none fills the disk of all: photos by number, files of imports and models by
size. The settings say how much; apps register what they keep."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from skinclinic.models import Clinic
from skinclinic.services import kept_counts
from skinclinic.web.come_back import ComeBack
from skinclinic.web.counts import gettext as _
from skinclinic.web.counts import grouped

GIGABYTE = 1 << 30
_HOUR = 3600


class OverQuota(ComeBack):
    """The clinic keeps as much of this as it may; nothing was stored."""

    status = 507

    def __init__(self, message: str):
        super().__init__("quota", message, _HOUR)


@dataclass(frozen=True)
class Room:
    """What a clinic keeps of a kind and may keep, in photos or bytes; ``name``: for people."""

    name: str
    used: int
    most: int
    is_bytes: bool = True

    @property
    def share(self) -> float:
        return self.used / self.most if self.most else 1.0


# f(clinic) -> the room for what the app keeps.
rooms: list[Callable[[Clinic], Room]] = []


def photos(clinic: Clinic) -> Room:
    """To the last photo: whoever deletes or restores photos says so (``kept_counts.changed``)."""
    used = kept_counts.of(clinic, kept_counts.PHOTOS)[kept_counts.PHOTOS].count
    return Room(_("Photos"), used, settings.CLINIC_PHOTOS, False)


def all_rooms(clinic: Clinic) -> Iterator[Room]:
    """Everything that is limited, for the admins' page."""
    yield photos(clinic)
    for room in rooms:
        yield room(clinic)


def check_photos(clinic: Clinic, more: int = 1) -> None:
    """Raise OverQuota where so many photos more are too many."""
    room = photos(clinic)
    if room.used + more > room.most:
        raise OverQuota(
            _(
                "This clinic may keep %(most)s photos and has %(used)s. Nothing was stored. Ask your administrator "
                "for more room, or delete what is no longer needed."
            )
            % {"most": grouped(room.most), "used": grouped(room.used)}
        )


def check_bytes(room: Room, more: int) -> None:
    """Raise OverQuota where so many bytes more are too many."""
    if room.used + more > room.most:
        raise OverQuota(
            _(
                "%(name)s: this clinic may keep %(most).1f GB and has %(used).1f GB; %(more).1f GB more do not fit. "
                "Nothing was stored. Ask your administrator for more room, or delete what is no longer needed."
            )
            % {
                "name": room.name, "most": room.most / GIGABYTE, "used": room.used / GIGABYTE, "more": more / GIGABYTE,
            }
        )  # fmt: skip


def size_of(*folders: Path) -> int:
    """Bytes of the files in these folders; what goes meanwhile counts for nothing."""
    total = 0
    for folder in folders:
        for path in folder.rglob("*") if folder.is_dir() else ():
            try:
                total += path.stat().st_size if path.is_file() else 0
            except OSError:
                continue
    return total
