"""How many photos a clinic's archive has, without counting them in a request."""

from skinclinic.archive.models import Entry
from skinclinic.models import Clinic
from skinclinic.services import kept_counts

_ENTRIES = "photos in archive"
kept_counts.kinds[_ENTRIES] = lambda: Entry.objects.all()


def entries(clinic: Clinic) -> int:
    """How many; of many, those that were removed lately are still among them."""
    return kept_counts.of(clinic, _ENTRIES)[_ENTRIES].count
