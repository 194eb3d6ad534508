"""The summary a lesion carries for the worklist, and deleting an empty lesion."""

from collections.abc import Callable, Iterable
from typing import Any

from django.db import transaction

from skinclinic.models import Diagnosis, Lesion, Photo
from skinclinic.services import cases

Listener = Callable[[Iterable[int]], None]
_photo_listeners: list[Listener] = []


def on_photos_changed(function: Listener) -> Listener:
    """Register a function that hears of lesions (by key) whose photos came, went or were told otherwise (kind, day,
    square), in the same transaction."""
    _photo_listeners.append(function)
    return function


def photos_changed(lesion_ids: Iterable[int]) -> None:
    """Tell that photos of these lesions are told otherwise than before."""
    ids = set(lesion_ids)
    for hear in _photo_listeners:
        hear(ids)


def begin_summary(lesion: Lesion, photo: Photo) -> None:
    """The summary of a lesion that was made for this photo: what ``refresh_summary`` would find."""
    Lesion.objects.filter(pk=lesion.pk).update(cover=photo, photo_count=1)
    lesion.cover, lesion.photo_count = photo, 1


@transaction.atomic
def refresh_summary(lesion: Lesion) -> None:
    """Bring cover photo, photo count and proof up to date, and have the listeners do so with state and answer."""
    # Two photos may come at once: the later summary must see both.
    list(cases.hold(Lesion.objects.filter(pk=lesion.pk)).values_list("pk"))
    newest = lesion.photos.order_by("-created_at", "-id").first()
    _write(lesion, {"cover": newest, "photo_count": lesion.photos.count(), **_proof(lesion)})
    # Lesions of an archive are on no list; their analyses bring them up to date when somebody asks for one.
    if not (lesion.is_archived and lesion.state == Lesion.State.EMPTY):
        photos_changed([lesion.pk])
    cases.refresh(lesion)


def refresh_proof(lesion: Lesion) -> None:
    """Bring the proof up to date; the photos are as they were."""
    _write(lesion, _proof(lesion))
    cases.refresh(lesion)


def _proof(lesion: Lesion) -> dict[str, Any]:
    proof = lesion.diagnoses.filter(kind=Diagnosis.Kind.PATHOLOGY, withdrawn_at=None).first()
    return {"is_proven": proof is not None, "proven_disease": proof.disease if proof else ""}


def _write(lesion: Lesion, values: dict[str, Any]) -> None:
    # Only what is computed here: a worker may be writing the other fields at this moment.
    Lesion.objects.filter(pk=lesion.pk).update(**values)
    for name, value in values.items():
        setattr(lesion, name, value)


class NotEmpty(Exception):
    """The lesion still has photos, diagnoses or sizes, or something was planned with it."""


@transaction.atomic
def delete_empty(lesion: Lesion) -> None:
    """Delete a lesion that has neither photos nor diagnoses nor sizes nor plans. Raises NotEmpty."""
    locked = Lesion.objects.select_for_update().get(pk=lesion.pk)
    held = (locked.photos, locked.diagnoses, locked.follow_ups, locked.biopsies, locked.sizes)
    if any(rows.exists() for rows in held):
        raise NotEmpty
    locked.delete()
