"""The summary a lesion carries for the worklist, and deleting an empty lesion."""

from collections.abc import Callable

from django.db import transaction

from skinclinic.models import Diagnosis, Lesion, Photo
from skinclinic.services import cases

_cover_listeners: list[Callable[[Lesion], None]] = []


def on_new_cover(function: Callable[[Lesion], None]) -> Callable[[Lesion], None]:
    """Register a function that hears of every lesion whose cover photo changed, in the same transaction."""
    _cover_listeners.append(function)
    return function


def begin_summary(lesion: Lesion, photo: Photo) -> None:
    """The summary of a lesion that was made for this photo: what ``refresh_summary`` would find."""
    Lesion.objects.filter(pk=lesion.pk).update(cover=photo, photo_count=1)
    lesion.cover, lesion.photo_count = photo, 1
    for hear in _cover_listeners:
        hear(lesion)


def refresh_summary(lesion: Lesion) -> None:
    """Bring cover photo, photo count and proof up to date.

    State and scores follow the cover photo: without one they are cleared, with a new one the listeners
    set them.
    """
    newest = lesion.photos.order_by("-created_at", "-id").first()
    proof = lesion.diagnoses.filter(kind=Diagnosis.Kind.PATHOLOGY, withdrawn_at=None).first()
    before = Lesion.objects.filter(pk=lesion.pk).values_list("cover", flat=True).first()
    values = {
        "cover": newest,
        "photo_count": lesion.photos.count(),
        "is_proven": proof is not None,
        "proven_disease": proof.disease if proof else "",
    }
    if newest is None:
        values |= {
            "state": Lesion.State.EMPTY,
            "top_disease": "",
            "top_score": None,
            "malignant_sum": None,
        }
    # Only what is computed here: a worker may be writing the other fields at this moment.
    Lesion.objects.filter(pk=lesion.pk).update(**values)
    for name, value in values.items():
        setattr(lesion, name, value)
    if newest is not None and newest.pk != before:
        for hear in _cover_listeners:
            hear(lesion)
    cases.refresh(lesion)


class NotEmpty(Exception):
    """The lesion still has photos or diagnoses, or something was planned with it."""


@transaction.atomic
def delete_empty(lesion: Lesion) -> None:
    """Delete a lesion that has neither photos nor diagnoses nor plans. Raises NotEmpty."""
    locked = Lesion.objects.select_for_update().get(pk=lesion.pk)
    held = (locked.photos, locked.diagnoses, locked.follow_ups, locked.biopsies)
    if any(rows.exists() for rows in held):
        raise NotEmpty
    locked.delete()
