"""A study coordinator's first steps."""

from django.utils.translation import gettext_lazy as _

from reader_study.models import Reader, Study
from skinclinic.models import Member, Role
from skinclinic.services.first_steps import Step, register


def _has_made(member: Member) -> bool:
    return Study.objects.filter(clinic=member.clinic_id, created_by=member.user_id).exists()


def _has_invited(member: Member) -> bool:
    mine = Study.objects.filter(clinic=member.clinic_id, created_by=member.user_id)
    return Reader.objects.filter(study__in=mine, is_preview=False).exists()


register(
    Role.COORDINATOR,
    [
        (10, Step(_("Look at a study that is closed"), "studies", "study-results")),
        (20, Step(_("Make a study"), "study-new", "study-making", _has_made)),
        (30, Step(_("Preview it as a reader"), "studies", "study-making")),
        (40, Step(_("Invite readers"), "studies", "study-running", _has_invited)),
    ],
)
