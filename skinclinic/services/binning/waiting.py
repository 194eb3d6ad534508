"""Photos that lie in the bin and come back to a lesion: where they come back to when that lesion is given up. A kind of
what is kept with a lesion (``services/belongings.py``)."""

from collections.abc import Iterable, Mapping

from django.db.models import QuerySet

from skinclinic.models import BinItem, BinnedRow, Lesion


def any_of(lesion: Lesion) -> bool:
    """Whether a photo in the bin would have nothing to come back to."""
    return _items([lesion.pk]).exists()


def hand_over(source: Lesion, home: Lesion) -> None:
    """Let them come back to ``home``, into which the other photos of ``source`` went."""
    _move(_items([source.pk]), home)


def places(lesions: Iterable[int]) -> dict[str, int]:
    """Which lesion each comes back to, for ``put_back``; plain JSON."""
    return {str(pk): lesion for pk, lesion in _items(lesions).values_list("pk", "lesion_key") if lesion}


def put_back(before: Mapping[str, int], lesions: Mapping[int, Lesion]) -> None:
    """Let each come back to the lesion it had."""
    for key, lesion in before.items():
        _move(BinItem.objects.filter(pk=key, ended_at=None), lesions[lesion])


def _items(lesions: Iterable[int]) -> QuerySet[BinItem]:
    return BinItem.objects.filter(kind=BinItem.Kind.PHOTO, lesion_key__in=list(lesions), ended_at=None)


def _move(items: QuerySet[BinItem], home: Lesion) -> None:
    for item in items.order_by("pk"):
        for row in BinnedRow.objects.filter(item=item, data__lesion=item.lesion_key):
            row.data["lesion"] = home.pk
            row.save(update_fields=["data"])
        item.lesion_key, item.patient_key = home.pk, home.patient_id
        item.save(update_fields=["lesion_key", "patient_key"])
