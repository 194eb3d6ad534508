"""Who sees what of a study: members look, coordinators and admins run it, and before it is closed only they
see which photos it holds."""

from django.db.models import QuerySet

from reader_study.models import Study
from skinclinic.models import Clinic


def studies_of(clinic: Clinic) -> QuerySet[Study]:
    """The clinic's studies, newest first."""
    return Study.objects.filter(clinic=clinic).order_by("-id")
