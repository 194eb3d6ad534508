"""First steps that have to do with a model and its answers."""

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from classifier.models import Assessment, Evaluation, Publication
from skinclinic.kept_queries import kept
from skinclinic.models import Member, Role
from skinclinic.services.first_steps import Step, register


def _has_decided(member: Member) -> bool:
    return bool(_decided(member.clinic_id, member.user_id))


@kept
def _decided(clinic: int, user: int) -> QuerySet[Assessment, int]:
    mine = Assessment.objects.filter(clinic=clinic, user=user).exclude(decision="")
    return mine.order_by().values_list("pk", flat=True)[:1]


register(
    Role.CLINICIAN,
    [
        (30, Step(_("Read a result"), "worklist", "result")),
        (40, Step(_("Record a decision"), "worklist", "decide", _has_decided)),
    ],
)
register(
    Role.ADMIN,
    [
        (
            50,
            Step(
                _("Evaluate a model on photos like yours"),
                "evaluations",
                "evaluating",
                lambda member: Evaluation.objects.filter(clinic=member.clinic_id).exists(),
            ),
        ),
        (
            60,
            Step(
                _("Publish the model for the clinic"),
                "models",
                "models",
                lambda member: Publication.objects.filter(clinic=member.clinic_id).exists(),
            ),
        ),
    ],
)
