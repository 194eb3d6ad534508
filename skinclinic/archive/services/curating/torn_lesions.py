"""Lesions that came in pieces: the source gives their photos one name, and the archive holds them as several.

Imports of before lesions had names made them, and so does a source that tells the patient of some photos only. They are
the same lesion for everything that must not tear one. Of the same name with other patients are other lesions; a photo
without a patient is of the lesion of its name if only one patient has such a lesion.
"""

from collections.abc import Iterator

from django.db.models import Count, F, Q

from skinclinic.archive.models import Entry

_AT_ONCE = 500


def whole(clinic_id: int) -> dict[int, int]:
    """{entry: the first of its lesion's pieces, as key of a lesion} of all photos of such lesions."""
    pieces: dict[tuple[int, str, int | None], list[tuple[int, int]]] = {}
    for entry, lesion, *of in _entries(clinic_id):
        pieces.setdefault((of[0], of[1], of[2]), []).append((entry, lesion))
    patients: dict[tuple[int, str], list[int | None]] = {}
    for source, name, patient in pieces:
        patients.setdefault((source, name), []).append(patient)
    found: dict[int, int] = {}
    for (source, name), those in patients.items():
        known = [patient for patient in those if patient is not None]
        groups = [[patient] for patient in those] if len(known) > 1 else [those]
        for group in groups:
            photos = [photo for patient in group for photo in pieces[source, name, patient]]
            lesions = {lesion for _entry, lesion in photos}
            if len(lesions) > 1:
                found |= {entry: min(lesions) for entry, _lesion in photos}
    return found


def _entries(clinic_id: int) -> Iterator[tuple]:
    """(entry, lesion, source, name, patient) of the photos whose names several lesions have, not each of another
    patient."""
    named = Entry.objects.filter(clinic=clinic_id).exclude(source_lesion="").order_by()
    counted = named.values("source", "source_lesion").annotate(
        lesions=Count("photo__lesion", distinct=True),
        patients=Count("patient", distinct=True),
        unknown=Count("pk", filter=Q(patient=None)),
    )
    names = counted.filter(lesions__gt=1).filter(Q(unknown__gt=0) | Q(lesions__gt=F("patients")))
    of_source: dict[int, list[str]] = {}
    for source, name in names.values_list("source", "source_lesion"):
        of_source.setdefault(source, []).append(name)
    for source, those in of_source.items():
        for start in range(0, len(those), _AT_ONCE):
            part = named.filter(source=source, source_lesion__in=those[start : start + _AT_ONCE])
            yield from part.values_list("pk", "photo__lesion", "source", "source_lesion", "patient")
