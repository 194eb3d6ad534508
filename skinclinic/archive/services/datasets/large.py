"""Large versions: what is done to them is done by jobs, since a request may not grow with the archive.

What a job is to do beside its kind stands in ``DatasetVersion.asked``, {kind: what}, until it is done. Jobs work in
parts, each in a transaction of its own that holds the version; taken up again after a crash or a stop, they pass over
what is done already.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils.translation import gettext as _

from skinclinic.archive.models import DatasetItem, DatasetVersion
from skinclinic.engine import work
from skinclinic.services.refused import Refused

FILL_JOB, FREEZE_JOB, REFRESH_JOB = "dataset-fill", "dataset-freeze", "dataset-refresh"
SPLIT_JOB, UNSPLIT_JOB = "dataset-split", "dataset-unsplit"
CONTINUE_JOB, TAKE_OUT_JOB, DISCARD_JOB = "dataset-continue", "dataset-take-out", "dataset-discard"
JOBS = (
    FILL_JOB, FREEZE_JOB, REFRESH_JOB, SPLIT_JOB, UNSPLIT_JOB, CONTINUE_JOB, TAKE_OUT_JOB, DISCARD_JOB,
)  # fmt: skip
# A version that one of these has left half done says something wrong.
_NEVER_HALF = (CONTINUE_JOB, UNSPLIT_JOB, DISCARD_JOB)
# A request does as much itself.
MOST_AT_ONCE = 2000
# Of a part that a job does in one transaction.
PART = 2000

Say = Callable[[float], None]
T = TypeVar("T")


def is_large(version: DatasetVersion) -> bool:
    """Whether it holds more than a request may look through: never counts further than that."""
    return version.items.order_by()[: MOST_AT_ONCE + 1].count() > MOST_AT_ONCE


def is_worked_on(version: DatasetVersion) -> bool:
    """Whether a job changes it, or waits for its turn."""
    return work.is_busy(JOBS, version.pk)


def is_half_done(version: DatasetVersion) -> bool:
    """Whether work was stopped, or has failed, that must be brought to an end."""
    return any(kind in (version.asked or {}) for kind in _NEVER_HALF)


def require_idle(version: DatasetVersion) -> None:
    """Raises Refused while a job works on it, or has left it half done."""
    if why := not_now(version):
        raise Refused("", why)


def not_now(version: DatasetVersion) -> str:
    """Why nothing can be done with it now, in words."""
    if is_worked_on(version):
        return _("The version is still being worked on. Wait until that is done.")
    if is_half_done(version):
        return _("What was begun with this version is not finished. Let it go on, or discard the draft.")
    return ""


@transaction.atomic
def ask(kind: str, version: DatasetVersion, what: Any = True) -> None:
    """Have a job do this with the version."""
    row = DatasetVersion.objects.select_for_update().get(pk=version.pk)
    row.asked = (row.asked or {}) | {kind: what}
    row.save(update_fields=["asked"])
    work.ask(kind, row.pk, row.clinic)


def done(kind: str, version: DatasetVersion) -> None:
    """What was asked for is done, or not wanted any more."""
    row = DatasetVersion.objects.select_for_update().get(pk=version.pk)
    if kind in (row.asked or {}):
        row.asked = {name: what for name, what in (row.asked or {}).items() if name != kind} or None
        row.save(update_fields=["asked"])


def changed(version: DatasetVersion, photos: int = 0) -> None:
    """Its members are others (so many more), or what is known of them: figures are behind."""
    DatasetVersion.objects.filter(pk=version.pk).update(
        revision=F("revision") + 1, photos=F("photos") + photos
    )


def fall_behind(items: QuerySet[DatasetItem]) -> None:
    """What is known of the versions that hold these has changed, though not their members."""
    held = list(items.order_by().values_list("version", flat=True).distinct())
    DatasetVersion.objects.filter(pk__in=held).update(revision=F("revision") + 1)


def parts(rows: Sequence[T], say: Say = lambda share: None) -> Iterator[Sequence[T]]:
    """The rows in parts. ``say`` hears the share that is done."""
    for start in range(0, len(rows), PART):
        say(start / len(rows))
        yield rows[start : start + PART]


@contextmanager
def held(version: DatasetVersion) -> Iterator[DatasetVersion]:
    """A transaction that holds a draft. Raises Refused if it is frozen."""
    with transaction.atomic():
        yield lock_draft(version)


def lock_draft(version: DatasetVersion) -> DatasetVersion:
    """The version's row, held until the transaction ends. Raises Refused if it is frozen."""
    row = DatasetVersion.objects.select_for_update().get(pk=version.pk)
    if row.is_frozen:
        raise Refused(
            "",
            _("Version %(number)s is frozen and does not change. Make a new version.")
            % {"number": row.number},
        )
    return row
