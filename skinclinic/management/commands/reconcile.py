"""The reconciler: a process of its own, so that it waits behind nothing."""

import logging
import signal
import threading

from django.core.management.base import BaseCommand
from django.db import DatabaseError, connection

from skinclinic.engine import jobs
from skinclinic.engine.housekeeping import sweep

log = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Wake workers for jobs that wait or whose worker died, every few seconds, until stopped."

    def add_arguments(self, parser):
        parser.add_argument("--every", type=float, default=15.0, help="seconds between rounds")
        parser.add_argument("--once", action="store_true", help="one round, then stop")

    def handle(self, *args, every: float, once: bool, **options):
        stop = threading.Event()
        if not once:
            signal.signal(signal.SIGTERM, lambda *_: stop.set())
        while True:
            self._round(reraise=once)
            if once or stop.wait(every):
                return

    def _round(self, *, reraise: bool) -> None:
        for work in (jobs.reconcile, sweep):
            try:
                work()
            except Exception as error:
                if reraise:
                    raise
                # Whatever it was, the jobs and the clinics rely on the next round.
                log.exception("%s failed; trying again", work.__qualname__)
                if isinstance(error, DatabaseError):
                    connection.close()
