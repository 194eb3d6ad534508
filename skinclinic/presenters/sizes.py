"""How large a lesion was, visit by visit, in mm with what they may be off: for pages, the API and print."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext as _

from skinclinic.imaging.measuring import Length, Line, in_mm
from skinclinic.models import Lesion, PatientSize, Photo, PhotoScale, PhotoSize
from skinclinic.services import visits

NO_SCALE, UNSURE = "no_scale", "unsure"


@dataclass(frozen=True)
class SizeTold:
    """One size of a lesion. ``photo``: on which it was marked, None: measured on the patient. Without ``longest`` it
    cannot be told in mm; ``why``: NO_SCALE or UNSURE."""

    on: date
    row: PhotoSize | PatientSize
    photo: Photo | None
    longest: Length | None
    across: Length | None
    why: str = ""

    @property
    def said(self) -> str:
        """ "8.3 ± 0.2 × 6.1 ± 0.2 mm", as typed for one measured on the patient, or why there are no mm."""
        if self.longest is None:
            reason = _("no scale on the photo") if self.why == NO_SCALE else _("marked too short to say")
            return _("not evaluable: %(reason)s") % {"reason": reason}
        if isinstance(self.row, PatientSize):
            return self.row.said
        lengths = [side for side in (self.longest, self.across) if side]
        return " × ".join(f"{side.mm_told} ± {side.off_told}" for side in lengths) + " mm"


def sizes_of(lesion: Lesion, photos: Sequence[Photo]) -> list[SizeTold]:
    """What stands, oldest first. ``photos``: the lesion's."""
    by_key = {photo.pk: photo for photo in photos}
    marked = PhotoSize.objects.filter(photo__in=by_key, withdrawn_at=None).select_related("created_by")
    scales = {row.photo_id: row for row in PhotoScale.objects.filter(photo__in=by_key, withdrawn_at=None)}
    told = [size_on_photo(by_key[row.photo_id], row, scales.get(row.photo_id)) for row in marked]
    for row in lesion.sizes.filter(withdrawn_at=None).select_related("created_by"):
        across = Length(float(row.across_mm), 0.0) if row.across_mm is not None else None
        told.append(SizeTold(row.measured_on, row, None, Length(float(row.longest_mm), 0.0), across))
    return sorted(told, key=lambda one: (one.on, one.row.created_at))


def size_on_photo(photo: Photo, row: PhotoSize, scale: PhotoScale | None) -> SizeTold:
    day = visits.day_of(photo.captured_at, photo.created_at)
    if scale is None:
        return SizeTold(day, row, photo, None, None, NO_SCALE)
    lengths = [in_mm(line, scale.line, scale.mm) for line in row.lines]
    if lengths[0] is None:
        return SizeTold(day, row, photo, None, None, UNSURE)
    return SizeTold(day, row, photo, lengths[0], lengths[1] if len(lengths) > 1 else None)


def scale_told(scale: PhotoScale) -> str:
    """How many mm a pixel is, in no more digits than the marking carries."""
    a_pixel = in_mm(Line((0, 0, 1000, 0), 0.0), scale.line, scale.mm)
    if a_pixel is None:
        return ""
    share = 100 * a_pixel.off / a_pixel.mm
    digits = 3 if share < 1 else 2
    return _("%(mm)s mm a pixel, ± %(share)s %%") % {
        "mm": f"{a_pixel.mm / 1000:#.{digits}g}",
        "share": f"{max(share, 0.1):.1f}" if share < 10 else f"{share:.0f}",
    }


def withdrawn_of(lesion: Lesion, photos: Sequence[Photo]) -> list[PhotoScale | PhotoSize | PatientSize]:
    """What was said and taken back, newest first."""
    rows: list[PhotoScale | PhotoSize | PatientSize] = []
    for kind in (PhotoScale, PhotoSize):
        rows += kind._default_manager.filter(photo__in=photos, withdrawn_at__isnull=False).select_related(
            "withdrawn_by", "photo"
        )
    rows += lesion.sizes.filter(withdrawn_at__isnull=False).select_related("withdrawn_by")
    return sorted(rows, key=lambda row: row.withdrawn_at or row.created_at, reverse=True)


def sizes_json(told: Sequence[SizeTold]) -> list[dict]:
    """For programs: mm and what they may be off, null where they cannot be told."""
    return [
        {
            "id": one.row.pk,
            "how": "photo" if one.photo else "patient",
            "photo": one.photo.pk if one.photo else None,
            "measured_on": one.on.isoformat(),
            "longest_mm": _number(one.longest),
            "longest_off_mm": _number(one.longest, off=True) if one.photo else None,
            "across_mm": _number(one.across),
            "across_off_mm": _number(one.across, off=True) if one.photo else None,
            "not_evaluable": one.why or None,
            "created_at": one.row.created_at,
            "created_by": one.row.created_by.username if one.row.created_by else None,
        }
        for one in told
    ]


def _number(length: Length | None, *, off: bool = False) -> float | None:
    return float(length.off_told if off else length.mm_told) if length else None
