"""A lesion over time: its size and the model's scores, photo by photo, for a page, a report and a printed sheet.

Nothing here says that a lesion grows: it shows what was measured and answered, when, and by which model.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from skinclinic.models import Lesion, Photo
from skinclinic.presenters import time_figure
from skinclinic.presenters.scores import score_text
from skinclinic.presenters.sizes import SizeTold
from skinclinic.presenters.time_figure import PHONE, Figure, Point
from skinclinic.services import visits
from skinclinic.services.photo_answers import PhotoTold
from skinclinic.templatetags.ui import disease_name


@dataclass(frozen=True)
class Row:
    """A line of the table: a photo with its size and answer and what stands against that, or a size of the patient."""

    on: date
    photo: Photo | None
    size: str = ""
    malignant: float | None = None
    score: float | None = None
    model: str = ""
    against: str = ""


@dataclass(frozen=True)
class Curve:
    """One quantity: the figure for wide screens and print, and for phones."""

    key: str
    title: str
    wide: Figure
    phone: Figure


@dataclass(frozen=True)
class OverTime:
    """``disease``: whose score is followed, the one the lesion carries. ``hidden``: photos whose answer waits for the
    reader's own impression."""

    curves: list[Curve]
    rows: list[Row]
    disease: str
    models: list[str]
    hidden: int


def over_time(lesion: Lesion, photos: Sequence[Photo], sizes: Sequence[SizeTold]) -> OverTime:
    """``photos``: the lesion's, oldest first, each with its ``answer``; ``sizes``: ``presenters.sizes.sizes_of``."""
    answered = [
        (photo, one) for photo in photos if isinstance(one := getattr(photo, "answer", None), PhotoTold)
    ]
    shown = [(photo, one) for photo, one in answered if one.scores and not one.is_hidden]
    disease = _followed(lesion, shown)
    curves = []
    measured = [_size_point(one) for one in sizes if one.longest]
    if _is_over_time(measured):
        curves.append(_curve("size", _("Longest diameter in mm"), measured))
    sums = [_score_point(photo, one, one.malignant_sum or 0.0) for photo, one in shown]
    if _is_over_time(sums):
        curves.append(_curve("malignant", _("All malignant together"), sums, top=1.0))
        if disease:
            scores = [_score_point(photo, one, one.scores.get(disease, 0.0)) for photo, one in shown]
            curves.append(_curve("disease", disease_name(disease), scores, top=1.0))
    on_photos = {one.photo.pk: one.said for one in sizes if one.photo}
    rows = [_answer_row(photo, one, disease, on_photos.pop(photo.pk, "")) for photo, one in shown]
    rows += [Row(one.on, one.photo, one.said) for one in sizes if not one.photo or one.photo.pk in on_photos]
    return OverTime(
        curves,
        sorted(rows, key=lambda row: row.on),
        disease,
        sorted({one.model for _photo, one in shown if one.model}),
        sum(one.is_hidden for _photo, one in answered),
    )


def _is_over_time(points: Sequence[Point]) -> bool:
    """One day alone is no change: what stands there is told without a figure."""
    return len({point.on for point in points}) > 1


def _followed(lesion: Lesion, shown: Sequence[tuple[Photo, PhotoTold]]) -> str:
    """The first disease of the answer the lesion carries; only once that may be seen."""
    carried = next((one.top_disease for photo, one in shown if photo.pk == lesion.answer_photo_id), "")
    return carried or next((one.top_disease for _photo, one in reversed(shown) if not one.set_aside), "")


def _curve(key: str, title: str, points: list[Point], **how) -> Curve:
    return Curve(
        key, title, time_figure.figure(points, **how), time_figure.figure(points, width=PHONE, **how)
    )


def _size_point(one: SizeTold) -> Point:
    # What was measured in two ways is not joined: on a photo the scale decides, on the patient the ruler.
    group = _("marked on a photo") if one.photo else _("measured on the patient")
    url = reverse("photo-size", args=[one.photo.pk]) if one.photo else ""
    length = one.longest
    assert length is not None
    return Point(one.on, length.mm, f"{_day(one.on)}: {one.said}, {group}", group, length.off, url)


def _score_point(photo: Photo, one: PhotoTold, value: float) -> Point:
    day = visits.day_of(photo.captured_at, photo.created_at)
    said = f"{_day(day)}: {score_text(value)}, {one.model}"
    if one.set_aside:
        said += f" · {against(one)}"
    return Point(day, value, said, "" if one.set_aside else one.model, 0.0, reverse("photo", args=[photo.pk]))


def _answer_row(photo: Photo, one: PhotoTold, disease: str, size: str) -> Row:
    day = visits.day_of(photo.captured_at, photo.created_at)
    score = one.scores.get(disease) if disease else None
    return Row(day, photo, size, one.malignant_sum, score, one.model, against(one))


def against(one: PhotoTold) -> str:
    """Why an answer does not count, in words."""
    if one.set_aside == "overview":
        return _("Overview: does not count")
    if one.set_aside == "dermoscopic":
        return _("Dermoscopic: does not count")
    if one.set_aside:
        return _("Unfit: does not count")
    said = [
        *([_("not like the model’s training photos")] if one.is_unlike else []),
        *([_("may be unfit")] if one.is_doubtful else []),
    ]
    return ", ".join(said)


def _day(day: date) -> str:
    return date_format(day, "DATE_FORMAT")
