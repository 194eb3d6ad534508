"""What a text in the worklist's search box may mean: a patient code, a disease, an ICD-10 code or a date.

All meanings count at once, so "2026-11" finds cases of that month and patients whose code begins so.
"""

import re
from datetime import date, datetime, time, timedelta

from django.db.models import Q
from django.utils import timezone

from skinclinic.models import Clinic, Diagnosis, Patient
from skinclinic.vocabulary import terms
from skinclinic.web import keyset

FIRST_YEAR, LAST_YEAR = 1900, 2200
MANY_PATIENTS = 200
_DATE = re.compile(r"(\d{4})\s*[-./년]\s*(\d{1,2})\s*(?:[-./월]\s*(\d{1,2})?\s*[.일]?)?")


def clean(text: str) -> str:
    """The text without what no database takes."""
    return text if keyset.storable(text) else "".join(filter(keyset.storable, text))


def condition(clinic: Clinic, text: str, *, answers_open: bool) -> Q:
    """Return which lesions of the clinic the text finds. ``answers_open``: also by the model's answer."""
    found = _of_patients(clinic, text)
    if keys := disease_keys(text):
        found |= Q(proven_disease__in=keys)
        if answers_open:
            found |= Q(top_disease__in=keys)
    if code := terms.icd10_code(text):
        other = Diagnosis.objects.filter(
            clinic=clinic,
            kind=Diagnosis.Kind.PATHOLOGY,
            withdrawn_at=None,
            disease="",
            icd10__startswith=code,
        )
        found |= Q(pk__in=other.values("lesion"))
    if bounds := date_range(text):
        found |= Q(created_at__gte=bounds[0], created_at__lt=bounds[1])
    return found


def disease_keys(text: str) -> list[str]:
    """The diseases a text names; one Latin letter names none."""
    if len(terms.fold(text).strip()) < 2:
        return []
    return [term.value for term in terms.find(text, "en")]


def date_range(text: str) -> tuple[datetime, datetime] | None:
    """Start and end (not included) of the day or month a text names, in local time."""
    match = _DATE.fullmatch(text.strip())
    if match is None:
        return None
    year, month, day = (int(part) if part else None for part in match.groups())
    try:
        first = date(year, month, day or 1)
    except ValueError:
        return None
    if not FIRST_YEAR <= year <= LAST_YEAR:
        return None
    month_after = date(year + month // 12, month % 12 + 1, 1)
    after = first + timedelta(days=1) if day else month_after
    return _start_of(first), _start_of(after)


def _start_of(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time()))


def _of_patients(clinic: Clinic, text: str) -> Q:
    """Lesions of patients whose code begins with the text.

    Few patients: by their keys, which an index serves. Many: by the code itself, along the order of the
    list, where the next match is never far.
    """
    patients = Patient.objects.filter(clinic=clinic, code__istartswith=text)
    ids = list(patients.order_by().values_list("pk", flat=True)[: MANY_PATIENTS + 1])
    if len(ids) > MANY_PATIENTS:
        return Q(patient__code__istartswith=text)
    return Q(patient__in=ids)
