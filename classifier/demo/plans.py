"""What is planned with some of the demo's lesions, so that every view of the worklist has something to show."""

from datetime import timedelta

from django.utils import timezone

from skinclinic.models import Clinic, FollowUp, Lesion, User
from skinclinic.services import cases, plans

# Days from today: overdue, due, later.
DUE = (-12, 0, 90)


def seed_plans(clinic: Clinic, clinician: User) -> None:
    """Two biopsies whose result is awaited, and a follow-up for each of ``DUE``, of cases that are not proven."""
    today = timezone.localdate()
    open_cases = Lesion.objects.filter(
        clinic=clinic, is_archived=False, is_proven=False, patient__isnull=False
    )
    lesions = list(open_cases.order_by("pk")[: 2 + len(DUE)])
    for lesion, days in zip(lesions[:2], (6, 20), strict=False):
        plans.await_biopsy(lesion, clinician, today - timedelta(days=days))
    for lesion, days in zip(lesions[2:], DUE, strict=False):
        step = plans.see_again(lesion, clinician, today + timedelta(days=90))
        # Planned some time ago, as far as the demo is concerned.
        FollowUp.objects.filter(pk=step.pk).update(due_on=today + timedelta(days=days))
        cases.refresh(lesion)
