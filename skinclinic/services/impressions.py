"""Whose diagnoses a member may read: where the own impression comes first, a colleague's would tell it."""

from collections.abc import Collection, Iterable

from django.db.models import Exists, OuterRef, Q

from skinclinic.models import Diagnosis, Member, PhotoDecision, User
from skinclinic.services.worklist import answers_are_open


def kept_back(user: User, members: Iterable[Member]) -> Q:
    """Diagnoses, of these memberships' clinics, that the person must not read yet: colleagues' impressions of lesions
    at which the person has decided nothing."""
    closed: Collection[int] = [one.clinic_id for one in members if not answers_are_open(one)]
    own = PhotoDecision.objects.filter(photo__lesion=OuterRef("lesion"), user=user)
    colleagues = Q(kind=Diagnosis.Kind.IMPRESSION, clinic__in=closed) & ~Q(created_by=user)
    return colleagues & ~Q(Exists(own)) if closed else Q(pk__in=())
