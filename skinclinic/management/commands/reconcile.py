"""The reconciler: a process of its own, so that it waits behind nothing."""

import logging
import signal
import threading
import time
from collections.abc import Callable

from django.core.management.base import BaseCommand
from django.db import DatabaseError, connection

from skinclinic.engine import jobs
from skinclinic.engine.housekeeping import sweep
from skinclinic.services import audit_chain

log = logging.getLogger(__name__)
# How long a new row of the audit stays without its place in the chain.
SEALED_AFTER_SECONDS = 2.0


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
            self._round(jobs.reconcile, sweep, reraise=once)
            if once:
                return
            next_round = time.monotonic() + every
            while (left := next_round - time.monotonic()) > 0:
                if stop.wait(min(left, SEALED_AFTER_SECONDS)):
                    return
                self._round(audit_chain.seal_new_rows, reraise=False)

    def _round(self, *tasks: Callable[[], object], reraise: bool) -> None:
        for work in tasks:
            try:
                work()
            except Exception as error:
                if reraise:
                    raise
                # Whatever it was, the jobs and the clinics rely on the next round.
                log.exception("%s failed; trying again", work.__qualname__)
                if isinstance(error, DatabaseError):
                    connection.close()
