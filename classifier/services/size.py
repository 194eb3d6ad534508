"""How many filed lesions, analyses and answers a clinic has, without counting them in a request."""

from django.db.models import QuerySet

from classifier.models import Analysis
from skinclinic.models import Lesion
from skinclinic.services import kept_counts
from skinclinic.services.kept_counts import Kind

FILED, ASKED, ANSWERED = "filed lesions", "analyses of cases", "answers of cases"


def filed() -> "QuerySet[Lesion]":
    """Lesions of patients of whichever clinic, without those of archives."""
    return Lesion.objects.filter(is_archived=False, patient__isnull=False)


def asked() -> "QuerySet[Analysis]":
    """What somebody asked for of photos of cases, of whichever clinic."""
    rows: QuerySet[Analysis] = Analysis.objects.asked_for().filter(photo__lesion__is_archived=False)
    return rows


def answered() -> "QuerySet[Analysis]":
    """Those of them that have an answer."""
    return asked().filter(analysed_at__isnull=False)


kept_counts.kinds |= {FILED: Kind(filed), ASKED: Kind(asked), ANSWERED: Kind(answered)}
