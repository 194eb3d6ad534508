"""What lies in the bin, and its end."""

from datetime import timedelta

from django.utils import timezone

from skinclinic.models import BinItem, Lesion, User
from skinclinic.services import audit

KEPT_FOR = timedelta(days=30)


class Gone(Exception):
    """Somebody else has deleted, restored or emptied it a moment ago."""


def held(item: BinItem) -> BinItem:
    """The item, locked. Raises Gone if it does not lie in the bin any more."""
    found = BinItem.objects.select_for_update(of=("self",)).filter(pk=item.pk, ended_at=None).first()
    if found is None:
        raise Gone
    return found


def is_of_archive(item: BinItem) -> bool:
    """Whether it was imported into the archive, which is its curators'."""
    kept = item.rows.filter(model__in=("skinclinic.lesion", "skinclinic.patient"), data__is_archived=True)
    return kept.exists() or Lesion.objects.filter(pk=item.lesion_key or 0, is_archived=True).exists()


def end(item: BinItem, how: str, user: User | None) -> None:
    """It lies in the bin no more: leave only who, when, why, what kind and how many."""
    item.rows.all().delete()
    item.ended_how, item.ended_at, item.ended_by = how, timezone.now(), user
    item.told, item.words, item.effects, item.cut, item.moved = {}, "", [], [], {}
    item.save()
    facts = {"kind": item.kind, "key": item.key, "counts": item.counts}
    audit.record(f"bin.{how}", item, by=user, facts=facts)
