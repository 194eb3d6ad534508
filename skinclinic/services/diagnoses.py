"""Recording what a lesion is: impressions and pathology. Nothing is overwritten."""

from datetime import date

from django.db import transaction
from django.utils import timezone

from skinclinic.models import Diagnosis, Lesion, User
from skinclinic.services.lesions import refresh_summary
from skinclinic.services.search_words import index_diagnosis
from skinclinic.vocabulary.diseases import BY_KEY


@transaction.atomic
def record(
    *,
    lesion: Lesion,
    user: User,
    kind: str,
    disease: str = "",
    icd10: str = "",
    text: str = "",
    confirmed_by: str = "",
    diagnosed_on: date | None = None,
) -> Diagnosis:
    """Add a diagnosis. A new pathology withdraws the earlier one, which stays in the history.

    The same pathology sent twice (a double click) is one row.
    """
    # One pathology at a time holds, also when two people save at once.
    Lesion.objects.select_for_update().get(pk=lesion.pk)
    fields = {
        "disease": disease,
        "icd10": icd10 or (BY_KEY[disease].icd10 if disease else ""),
        "text": text,
        "confirmed_by": confirmed_by,
        "diagnosed_on": diagnosed_on,
    }
    if kind == Diagnosis.Kind.PATHOLOGY:
        standing = lesion.diagnoses.filter(kind=kind, withdrawn_at=None)
        if same := standing.filter(**fields, created_by=user).first():
            return same
        _withdraw(standing, user)
    diagnosis = Diagnosis.objects.create(
        clinic_id=lesion.clinic_id, lesion=lesion, kind=kind, created_by=user, **fields
    )
    index_diagnosis(diagnosis)
    refresh_summary(lesion)
    return diagnosis


@transaction.atomic
def withdraw(diagnosis: Diagnosis, user: User) -> None:
    """Take a diagnosis back; the row stays, marked with who and when."""
    Lesion.objects.select_for_update().get(pk=diagnosis.lesion_id)
    _withdraw(Diagnosis.objects.filter(pk=diagnosis.pk, withdrawn_at=None), user)
    refresh_summary(diagnosis.lesion)


def _withdraw(diagnoses, user: User) -> None:
    diagnoses.update(withdrawn_at=timezone.now(), withdrawn_by=user)
