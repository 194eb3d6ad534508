"""Photos that former versions stored do not say whether their lesion is an archive's: they are marked, once."""

from skinclinic.engine import jobs
from skinclinic.engine.housekeeping import broom
from skinclinic.models import Photo

JOB = "archived-photos"
AT_ONCE = 2000


@broom
def ask_once() -> None:
    """Ask for it unless that was done: asking again makes no second job."""
    jobs.enqueue(JOB, "1")


def mark() -> int:
    """Mark those of archives; return how many there were."""
    count, last = 0, 0
    unmarked = Photo.objects.filter(is_archived=False, lesion__is_archived=True).order_by("pk")
    while keys := list(unmarked.filter(pk__gt=last).values_list("pk", flat=True)[:AT_ONCE]):
        last = keys[-1]
        count += Photo.objects.filter(pk__in=keys).update(is_archived=True)
    return count
