"""How many photos a clinic's archive has, in all and of each source, label and month, without counting them in a
request."""

from django.db.models.functions import TruncMonth

from skinclinic.archive.models import Entry
from skinclinic.models import Clinic
from skinclinic.services import kept_counts
from skinclinic.services.kept_counts import Counted, Kind

_ENTRIES = "photos in archive"
_SOURCES, _LABELS, _MONTHS = "photos by source", "photos by label", "photos by month"
kept_counts.kinds |= {
    _ENTRIES: Kind(lambda: Entry.objects.all()),
    _SOURCES: Kind(lambda: Entry.objects.all(), by="source"),
    _LABELS: Kind(lambda: Entry.objects.all(), by="label"),
    _MONTHS: Kind(lambda: Entry.objects.filter(taken_on__isnull=False), by=TruncMonth("taken_on")),
}


def entries(clinic: Clinic) -> int:
    """How many; of many, those that were removed lately are still among them."""
    return kept_counts.of(clinic, _ENTRIES)[_ENTRIES].count


def by_source(clinic: Clinic) -> Counted:
    """``parts``: {key of a source: its photos}."""
    return kept_counts.of(clinic, _SOURCES)[_SOURCES]


def by_label(clinic: Clinic) -> Counted:
    """``parts``: {label: photos that bear it}."""
    return kept_counts.of(clinic, _LABELS)[_LABELS]


def by_month(clinic: Clinic) -> Counted:
    """``parts``: {first day of a month, YYYY-MM-DD: photos taken in it}; those without a day are left out."""
    return kept_counts.of(clinic, _MONTHS)[_MONTHS]
