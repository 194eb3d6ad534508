"""An archive of which many photos are changed at once: rows only, quickly made."""

from skinclinic.archive.models import Entry, EntryChange
from skinclinic.archive.services.bulk import bulk
from skinclinic.archive.services.searching.selection import Selection
from tests import archive_crowd

# What an undo restores: all of an entry.
FACTS = [field.attname for field in Entry._meta.concrete_fields]


def make(clinic, user, count: int, **fields) -> list[int]:
    """The keys of so many entries, all of them as ``fields`` says."""
    archive_crowd.fill(clinic, user, count)
    if fields:
        Entry.objects.filter(clinic=clinic).update(**fields)
    return list(Entry.objects.filter(clinic=clinic).order_by("pk").values_list("pk", flat=True))


def state(clinic) -> list[tuple]:
    return list(Entry.objects.filter(clinic=clinic).order_by("pk").values_list(*FACTS))


def ask(clinic, user, action: str, chosen=None, **more):
    """Ask for it of the chosen keys, or of all photos of the clinic."""
    values = {name: more.pop(name) for name in ("reason", "label", "note", "proof", "tags") if name in more}
    return bulk.ask(
        clinic, user, action, chosen=Selection() if chosen is None else chosen, values=values, **more
    )


def changes_of(row) -> int:
    return EntryChange.objects.filter(bulk=row).count()
