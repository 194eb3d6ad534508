"""The reconciler as a process of its own, for one machine without Celery beat."""

import signal
import threading

from django.core.management.base import BaseCommand
from django.db import DatabaseError, connection

from skinclinic.engine import jobs
from skinclinic.engine.housekeeping import sweep


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
            try:
                jobs.reconcile()
                sweep()
            except DatabaseError as error:
                if once:
                    raise
                self.stderr.write(f"reconcile: {error}; trying again")
                connection.close()
            if once or stop.wait(every):
                return
