"""Leases that last as long as the work: renewed beside it, so that no handler can forget.

What happens when a worker dies: its leases end, and ``jobs.py`` gives the work to another.
"""

import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta

from django.db import connection
from django.db.models.functions import Now

from skinclinic.engine import health
from skinclinic.engine.health import WorkerFault
from skinclinic.models import Job

log = logging.getLogger(__name__)

# Two renewals may fail before anybody else may take the work.
RENEWED_AFTER = 1 / 3


@contextmanager
def renewed(rows: Sequence[Job], lease: timedelta) -> Iterator[None]:
    """Renew the leases of claimed jobs while the block computes, from a thread with a connection of its own.

    It ends with this process, so that others take over from one that was killed. A lease that was lost stays lost:
    whoever reports progress or a result hears of it. In a transaction nobody else sees that the jobs are claimed.
    Raises WorkerFault where there is no memory for that thread.
    """
    if connection.in_atomic_block:
        yield
        return
    done = threading.Event()
    thread = threading.Thread(target=_renew, args=(list(rows), lease, done), name="leases", daemon=True)
    try:
        thread.start()
    except RuntimeError as error:
        raise WorkerFault(health.NO_MEMORY, "no thread can be started, which takes memory") from error
    try:
        yield
    finally:
        done.set()
        thread.join()


def _renew(rows: Sequence[Job], lease: timedelta, done: threading.Event) -> None:
    held = [(row.pk, row.lease_token) for row in rows]
    try:
        while not done.wait(lease.total_seconds() * RENEWED_AFTER):
            try:
                for pk, token in held:
                    running = Job.objects.filter(pk=pk, state=Job.State.RUNNING, lease_token=token)
                    running.update(lease_until=Now() + lease)
            except Exception as error:  # noqa: BLE001 - whatever it is, the next renewal is as needed
                log.warning("cannot renew a lease now: %r", error)
                connection.close()
    finally:
        connection.close()
