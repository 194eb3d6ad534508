"""Recording what a lesion is: impressions and pathology. Nothing is overwritten."""

from datetime import date

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from skinclinic.models import Diagnosis, Lesion, User
from skinclinic.services import audit, cases, webhooks
from skinclinic.services.lesions import refresh_proof
from skinclinic.services.search_words import index_diagnosis
from skinclinic.vocabulary.diseases import BY_KEY
from skinclinic.vocabulary.ranked import Differential

# What a person may have seen who records a pathology, if it is no key: anything (a program that says nothing), or
# nothing but what that person recorded.
WHATEVER_STANDS, OWN = "whatever", "own"
NOTHING_ELSE = Differential()


class NotShown(Exception):
    """A pathology stands that the person has not seen, or the one that was seen does not stand any more."""

    def __init__(self, standing: Diagnosis | None):
        super().__init__()
        self.standing = standing


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
    differential: Differential = NOTHING_ELSE,
    shown: int | str | None = WHATEVER_STANDS,
) -> Diagnosis:
    """Add a diagnosis. A new pathology withdraws the earlier one, which stays in the history.

    The same pathology sent twice (a double click) is one row. ``shown``: the key of the pathology that the person
    saw, None where there was none, ``OWN`` if that is not known; raises NotShown where another one stands.
    """
    # One pathology at a time holds, also when two people save at once.
    cases.hold(Lesion.objects.filter(pk=lesion.pk)).get()
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
        _require_shown(standing.first(), shown, user)
        _withdraw(standing, user)
    diagnosis = Diagnosis.objects.create(
        clinic_id=lesion.clinic_id,
        lesion=lesion,
        kind=kind,
        created_by=user,
        differential=differential.to_json(),
        **fields,
    )
    said = {"kind": kind, "disease": disease, "icd10": fields["icd10"], "confirmed_by": confirmed_by}
    after = {name: value for name, value in said.items() if value} | ({"text": audit.CHANGED} if text else {})
    audit.record("diagnosis.make", diagnosis, by=user, after=after)
    index_diagnosis(diagnosis)
    refresh_proof(lesion)
    if kind == Diagnosis.Kind.PATHOLOGY and not lesion.is_archived:
        event = webhooks.Event.PATHOLOGY
        webhooks.tell(lesion.clinic_id, event, diagnosis=diagnosis.pk, lesion=lesion.pk)
    return diagnosis


def _require_shown(standing: Diagnosis | None, shown: int | str | None, user: User) -> None:
    if shown == WHATEVER_STANDS or (standing.pk if standing else None) == shown:
        return
    if shown == OWN and (standing is None or standing.created_by_id == user.pk):
        return
    raise NotShown(standing)


@transaction.atomic
def withdraw(diagnosis: Diagnosis, user: User) -> None:
    """Take a diagnosis back; the row stays, marked with who and when."""
    cases.hold(Lesion.objects.filter(diagnoses=diagnosis.pk)).first()
    diagnosis.refresh_from_db(fields=["lesion"])
    _withdraw(Diagnosis.objects.filter(pk=diagnosis.pk, withdrawn_at=None), user)
    refresh_proof(diagnosis.lesion)


def _withdraw(diagnoses: QuerySet[Diagnosis], user: User) -> None:
    going = list(diagnoses.select_related("lesion"))
    diagnoses.update(withdrawn_at=timezone.now(), withdrawn_by=user)
    for diagnosis in going:
        before = {"kind": diagnosis.kind, "disease": diagnosis.disease, "icd10": diagnosis.icd10}
        audit.record("diagnosis.withdraw", diagnosis, by=user, before=before)
