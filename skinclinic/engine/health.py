"""Whether this worker process can work at all.

A worker on a machine without memory, or without the photos' volume, would take one job after the other and fail each
within a second. So what is wrong around a worker is told apart from what is wrong with a job; several such errors
running, and the worker rests: it takes nothing, says why, leaves the work to others, and after a while tries one job.
One that comes to an end makes it well.
"""

import errno
import logging
import time
from dataclasses import dataclass, field

from skinclinic.web.full_disks import is_disk_full

log = logging.getLogger(__name__)

NO_MEMORY, NO_PHOTOS, DISK_FULL, DISK = "no_memory", "no_photos", "disk_full", "disk"
STORAGE_AWAY = "storage_away"
ILL_AFTER = 3
REST_SECONDS, LONGEST_REST_SECONDS = 60.0, 600.0


class WorkerFault(Exception):
    """The worker cannot do its work, whatever the job: the job waits on, and it is no attempt of it. ``code``: one of
    those above."""

    def __init__(self, code: str, message: str):
        super().__init__(message)
        self.code = code


@dataclass
class _Health:
    code: str = ""
    jobs: set[int] = field(default_factory=set)
    rests: int = 0
    rests_until: float = 0.0


_health = _Health()


def reset() -> None:
    """Well again, as a worker that has just begun."""
    global _health
    _health = _Health()


def code_of(error: BaseException) -> str:
    """Which part of the worker's machine an error tells of; "" for one that tells of the job."""
    if isinstance(error, WorkerFault):
        return error.code
    if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == errno.ENOMEM):
        return NO_MEMORY
    if is_disk_full(error):
        return DISK_FULL
    if isinstance(error, OSError) and error.errno in (errno.EIO, errno.EACCES, errno.EROFS, errno.ESTALE):
        return DISK
    return code_of(error.__cause__) if error.__cause__ else ""


def done() -> None:
    """A job was done: nothing is wrong here."""
    if _health.rests:
        log.warning("this worker works again")
    reset()


def failed(error: BaseException, job: int) -> None:
    """A job (its key) failed. What tells of the job tells nothing of the worker; nor does one job that fails again and
    again."""
    if not (code := code_of(error)):
        return
    _health.jobs = {*_health.jobs, job} if code == _health.code else {job}
    _health.code = code
    # After a rest one job is tried; its failure is enough.
    if len(_health.jobs) >= ILL_AFTER or _health.rests:
        rest = min(REST_SECONDS * 2**_health.rests, LONGEST_REST_SECONDS)
        _health.rests += 1
        _health.rests_until = time.monotonic() + rest
        log.error(
            "%s: %d jobs in a row failed of it (%s); this worker takes none for %.0f s",
            code, len(_health.jobs), error, rest,
        )  # fmt: skip


def trouble() -> str:
    """Why this worker takes no jobs, or only one to try; "" while it is well."""
    return _health.code if _health.rests else ""


def rest_left() -> float:
    """Seconds until it may try a job again; 0 when it may now."""
    return max(0.0, _health.rests_until - time.monotonic())
