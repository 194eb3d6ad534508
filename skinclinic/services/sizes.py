"""Saying how large a lesion is, and taking it back. What stands is never replaced unseen."""

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, TypeVar

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from skinclinic.imaging.measuring import PER_END, SHORTEST_SCALE, Line
from skinclinic.models import Lesion, PatientSize, Photo, PhotoScale, PhotoSize, User
from skinclinic.services.cases import hold, hold_lesion_of
from skinclinic.services.refused import Refused

OnPhoto = TypeVar("OnPhoto", PhotoScale, PhotoSize)
LEAST_MM, MOST_MM = 0.5, 500.0
SHORTEST_SIZE = 3.0


class Changed(Exception):
    """Something else stands than the person saw: ``standing``, None where it was withdrawn. Nothing was written."""

    def __init__(self, standing: Any):
        super().__init__()
        self.standing = standing


@transaction.atomic
def set_scale(
    photo: Photo, user: User, kind: str, mm: float, points: Sequence[float], off: float, seen: int | None
) -> PhotoScale:
    """Say that a length on the photo is ``mm``; ``seen``: the scale that stood before. Raises Refused, Changed."""
    line = _line(photo, "scale", points, off)
    if line.pixels < SHORTEST_SCALE:
        raise Refused(
            "scale", _("This length is too short for a scale. Mark a longer one, at least 20 pixels.")
        )
    if not LEAST_MM <= mm <= MOST_MM:
        raise Refused("mm", _("Give the length in mm, from 0.5 to 500."))
    said = {"kind": kind, "mm": mm, "points": list(line.points), "off": line.off}
    return _say_of_photo(PhotoScale, photo, user, seen, said)


@transaction.atomic
def set_size(
    photo: Photo,
    user: User,
    longest: Sequence[float],
    across: Sequence[float] | None,
    off: float,
    seen: int | None,
) -> PhotoSize:
    """Say how large the lesion is on the photo; ``seen``: the size that stood before. Raises Refused, Changed."""
    long = _line(photo, "longest", longest, off)
    short = _line(photo, "across", across, off) if across else None
    if long.pixels < SHORTEST_SIZE or (short and short.pixels < SHORTEST_SIZE):
        raise Refused("longest", _("The two points lie on each other. Mark them at the lesion's edges."))
    if short and short.pixels > long.pixels:
        raise Refused(
            "across", _("The diameter across is longer than the longest. Mark them the other way round.")
        )
    said = {"longest": list(long.points), "across": list(short.points) if short else None, "off": long.off}
    return _say_of_photo(PhotoSize, photo, user, seen, said)


@transaction.atomic
def set_on_patient(
    lesion: Lesion,
    user: User,
    measured_on: date,
    longest_mm: Decimal,
    across_mm: Decimal | None = None,
    instead_of: int | None = None,
) -> PatientSize:
    """Say what was measured on the patient; ``instead_of``: the row it corrects. Raises Refused, Changed."""
    if measured_on > timezone.localdate():
        raise Refused("measured_on", _("This date is in the future."))
    if across_mm is not None and across_mm > longest_mm:
        raise Refused(
            "across_mm", _("The diameter across is longer than the longest. The longest comes first.")
        )
    list(hold(Lesion.objects.filter(pk=lesion.pk)).values_list("pk"))
    rows = lesion.sizes.filter(withdrawn_at=None)
    corrected = rows.filter(pk=instead_of).first() if instead_of else None
    if instead_of and corrected is None:
        raise Changed(rows.filter(measured_on=measured_on).first())
    said = {"measured_on": measured_on, "longest_mm": longest_mm, "across_mm": across_mm}
    standing = rows.filter(measured_on=measured_on).exclude(pk=instead_of or 0).first()
    for row in (corrected, standing):
        if row and all(getattr(row, name) == value for name, value in said.items()):
            return row
    if standing:
        raise Refused(
            "measured_on", _("A size of this day is there already. Change that one, or withdraw it.")
        )
    if corrected:
        withdraw(corrected, user)
    return PatientSize.objects.create(lesion=lesion, clinic_id=lesion.clinic_id, created_by=user, **said)


def withdraw(row: PhotoScale | PhotoSize | PatientSize, user: User) -> None:
    """Take it back; it stays in the history. What is withdrawn already stays as it is."""
    type(row)._default_manager.filter(pk=row.pk, withdrawn_at=None).update(
        withdrawn_at=timezone.now(), withdrawn_by=user
    )


def standing_of(kind: type[OnPhoto], photo: Photo) -> OnPhoto | None:
    return kind._default_manager.filter(photo=photo, withdrawn_at=None).select_related("created_by").first()


def _say_of_photo(
    kind: type[OnPhoto], photo: Photo, user: User, seen: int | None, said: dict[str, Any]
) -> OnPhoto:
    hold_lesion_of(photo)
    standing = standing_of(kind, photo)
    if standing and all(getattr(standing, name) == value for name, value in said.items()):
        return standing
    if (standing.pk if standing else None) != seen:
        raise Changed(standing)
    if standing:
        withdraw(standing, user)
    return kind._default_manager.create(photo=photo, clinic_id=photo.clinic_id, created_by=user, **said)


def _line(photo: Photo, name: str, points: Sequence[float], off: float) -> Line:
    """Two points inside the photo. Raises Refused."""
    x1, y1, x2, y2 = (round(float(value), 1) for value in points)
    if not all(0 <= x <= photo.width and 0 <= y <= photo.height for x, y in ((x1, y1), (x2, y2))):
        raise Refused(name, _("A point lies outside the photo."))
    # No more than a screen can make of it: a photo shown 40 times smaller than it is.
    known = off if math.isfinite(off) else PER_END
    return Line(
        (x1, y1, x2, y2), min(max(known, PER_END), max(PER_END, max(photo.width, photo.height) / 100))
    )


def any_of(lesion: Lesion) -> bool:
    """Whether anything was measured on the patient."""
    return lesion.sizes.exists()


def hand_over(source: Lesion, home: Lesion) -> None:
    """Let ``home``, into which the photos of ``source`` went, take over what was measured on the patient."""
    source.sizes.update(lesion=home)


def places(lesions: Iterable[int]) -> dict[str, int]:
    """Which lesion each size belongs to, for ``put_back``; plain JSON."""
    rows = PatientSize.objects.filter(lesion__in=list(lesions)).values_list("pk", "lesion")
    return {str(pk): lesion for pk, lesion in rows}


def put_back(before: Mapping[str, int], lesions: Mapping[int, Lesion]) -> None:
    """Give each size back to the lesion it had."""
    for key, lesion in before.items():
        PatientSize.objects.filter(pk=key).update(lesion=lesions[lesion])
