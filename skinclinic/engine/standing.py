"""What can be told of the engine: whether it works, how long photos wait, and whether anything comes out of it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from itertools import product

from django.db.models import Count, Min
from django.db.models.functions import Coalesce

from skinclinic.engine import clock, jobs
from skinclinic.engine.readiness import obstacle
from skinclinic.files import store
from skinclinic.models import Clinic, Job

# Nothing takes so long: when photos have waited for it and none was finished, something is wrong, whatever the
# workers say of themselves.
STUCK_AFTER = timedelta(minutes=3)
_LOOKED_AT = 200


@dataclass(frozen=True)
class Standing:
    """``trouble``: why every living worker takes nothing (``engine.health``), or "". ``oldest``: how long the photo
    that has waited longest waits. ``idle``: for how long nothing was finished, where that is too long."""

    online: bool
    trouble: str = ""
    waiting: int = 0
    oldest: timedelta = timedelta()
    idle: timedelta | None = None
    problem: str = ""
    disk_full: bool = False

    @property
    def works(self) -> bool:
        return self.online and not (self.problem or self.idle or self.disk_full)


def standing(clinic: Clinic | None) -> Standing:
    """Of the workers for photos; what waits is the clinic's."""
    online, disk_full = jobs.engine_online(), store.is_full()
    trouble = "" if online else next(iter(jobs.troubles().values()), "")
    if clinic is None:
        return Standing(online, trouble, disk_full=disk_full)
    kinds = jobs.kinds_of(jobs.PHOTOS)
    # Since when a job that was asked for again waits, or is to wait, is said by ``not_before``.
    unfinished = Job.objects.filter(
        clinic=clinic, kind__in=kinds, state__in=(Job.State.QUEUED, Job.State.RUNNING)
    )
    told = unfinished.aggregate(n=Count("pk"), since=Min(Coalesce("not_before", "created_at")))
    oldest = max(clock.now() - told["since"], timedelta()) if told["n"] else timedelta()
    idle = _idle(kinds, oldest) if oldest >= STUCK_AFTER else None
    return Standing(online, trouble, told["n"], oldest, idle, obstacle(clinic), disk_full)


def _idle(kinds: Collection[str], waited: timedelta) -> timedelta | None:
    """For how long no job of these kinds came to an end while one waited; None while that is no sign of anything."""
    over, now = (Job.State.DONE, Job.State.FAILED), clock.now()
    idle = waited
    for kind, state in product(kinds, over):
        # Jobs end about in the order they were asked for in.
        newest = Job.objects.filter(kind=kind, state=state).order_by("-id")[:_LOOKED_AT]
        ended = [moment for moment in newest.values_list("finished_at", flat=True) if moment]
        idle = min([idle, *(now - moment for moment in ended)])
    return idle if idle >= STUCK_AFTER else None
