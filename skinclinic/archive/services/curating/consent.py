"""Whose photos the archive may not hold or use: the one rule that every use of them asks."""

from collections.abc import Collection

from django.db.models import Q

from skinclinic.archive.models import Entry
from skinclinic.models import Patient


def missing(path: str = "") -> Q:
    """Photos without consent now: of a patient who refused, and the clinic's own of one who did not consent.

    ``path`` leads to the entry, such as "entry__"; without it, entries are meant.
    """
    consent = f"{path}patient__research_consent"
    own = Q(**{f"{path}source__is_own": True})
    return Q(**{consent: Patient.Consent.REFUSED}) | (own & ~Q(**{consent: Patient.Consent.GIVEN}))


def lacking(entries: Collection[int]) -> set[int]:
    """Which of these entries may not be accepted now."""
    return set(Entry.objects.filter(missing(), pk__in=entries).order_by().values_list("pk", flat=True))


def photos_lacking(photos: Collection[int]) -> set[int]:
    """Which of these photos of finished evaluations and closed studies may be shown there no more."""
    return set(Entry.objects.filter(missing(), photo__in=photos).order_by().values_list("photo", flat=True))


def is_missing(consent: str | None, is_own: bool | None) -> bool:
    """The same of values that were read."""
    return consent == Patient.Consent.REFUSED or (bool(is_own) and consent != Patient.Consent.GIVEN)
