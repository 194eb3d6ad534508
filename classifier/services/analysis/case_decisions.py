"""What the worklist is told of decisions, and whether a person and the model disagree."""

from collections.abc import Iterable

from classifier.models import Assessment
from skinclinic.models import Diagnosis
from skinclinic.services import cases
from skinclinic.vocabulary.diseases import BY_KEY, DISEASES


def disagrees(diagnosis: Diagnosis | None, listed: Iterable[str], decision: str) -> bool:
    """Whether the person names what the model did not list, or, naming nothing, set its list aside.

    A diagnosis by ICD-10 alone agrees with a listed disease of that code.
    """
    keys = set(listed)
    if diagnosis is None:
        return decision == Assessment.Decision.DISMISS and bool(keys)
    if diagnosis.disease:
        return diagnosis.disease not in keys
    same_code = {disease.key for disease in DISEASES if diagnosis.icd10 in (disease.icd10, disease.icd10_cm)}
    return bool(keys) and not (same_code & keys)


def tell_worklist(row: Assessment) -> None:
    """Let the worklist know the person's last standing decision at the photo of this assessment."""
    photo = row.analysis.photo
    standing = (
        Assessment.objects.filter(user=row.user_id, analysis__photo=photo)
        .exclude(decision="")
        .select_related("conclusion", "user")
        .order_by("-decided_at")
        .first()
    )
    if standing is None or standing.decided_at is None:
        cases.forget_decision(photo, row.user)
        return
    cases.note_decision(
        photo,
        row.user,
        diagnosis=standing.conclusion,
        decided_at=standing.decided_at,
        disagrees=disagrees(standing.conclusion, _listed(standing), standing.decision),
    )


def _listed(row: Assessment) -> list[str]:
    """The diseases that the person was shown as listed; what is no disease any more does not count."""
    return [key for key in row.listed if key in BY_KEY]
