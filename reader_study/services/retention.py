"""What studies keep for a while only: names and addresses of their readers."""

from datetime import datetime, timedelta

from reader_study.models import Reader
from skinclinic.models import Clinic, Letter
from skinclinic.services.retention import keeps


@keeps("readers_months", timedelta(days=30.44))
def contacts(clinic: Clinic, limit: datetime, act: bool) -> int:
    """Of closed studies; the code stands for the person in every figure."""
    held = Reader.objects.filter(study__clinic=clinic, study__closed_at__lt=limit)
    held = held.exclude(name="", email="")
    if not act:
        return held.count()
    letters = list(held.values_list("letter", "reminder"))
    count = held.update(name="", email="", secret_sha256=None, letter=None, reminder=None)
    Letter.objects.filter(pk__in=[key for pair in letters for key in pair if key]).delete()
    return count
