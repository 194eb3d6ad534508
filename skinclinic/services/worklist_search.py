"""What a text in the worklist's search box may mean: a patient code, a disease, an ICD-10 code, words of a
diagnosis or a date.

All meanings count at once, so "2026-11" finds cases of that month and patients whose code begins so.
"""

from datetime import date, datetime, time

from django.db.models import Q
from django.utils import timezone

from skinclinic.models import Clinic, Diagnosis, Patient
from skinclinic.vocabulary import terms
from skinclinic.vocabulary.days import span

MANY_PATIENTS = 200
# Fewer letters stand in half of all diagnoses' words.
SHORTEST_WORDS = 3


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
    if len(text) >= SHORTEST_WORDS:
        own_words = Diagnosis.objects.filter(clinic=clinic, withdrawn_at=None, text__icontains=text)
        found |= Q(pk__in=own_words.values("lesion"))
    # Four digits alone rather begin a patient's code.
    if len(text) > 4 and (days := span(text)):
        found |= Q(created_at__gte=start_of(days[0]), created_at__lt=start_of(days[1]))
    return found


def disease_keys(text: str) -> list[str]:
    """The diseases a text names; one Latin letter names none."""
    if len(terms.fold(text).strip()) < 2:
        return []
    return [term.value for term in terms.find(text, "en")]


def start_of(day: date) -> datetime:
    """Its first moment in local time."""
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
