"""What the worklist is told of decisions, and whether a person and the model disagree."""

from classifier.metrics import agreement
from classifier.models import Assessment
from skinclinic.services import cases


def disagrees(row: Assessment) -> bool:
    """Whether the person names what the model did not list, or, naming nothing, set its list aside."""
    sets_aside = row.decision == Assessment.Decision.DISMISS and row.conclusion is None
    return row.agreement in agreement.DISAGREES or (sets_aside and bool(row.model_listed))


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
        disagrees=disagrees(standing),
    )
