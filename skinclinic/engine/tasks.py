"""What Celery's workers run: wake-ups round the jobs service."""

import logging
import os
import socket
import threading

from celery import shared_task
from celery.signals import worker_ready, worker_shutdown
from django.db import DatabaseError, connection

from skinclinic.engine import jobs

log = logging.getLogger(__name__)
_stopping = threading.Event()


@shared_task(name="skinclinic.run_jobs", time_limit=None)
def run_jobs(kind: str) -> None:
    """Run every waiting job of this kind."""
    jobs.run_waiting(kind)


@worker_ready.connect
def _say_alive(sender=None, **kwargs) -> None:
    """Say every five seconds that this worker is alive, also while it computes."""
    queues = list(sender.app.amqp.queues.consume_from) if sender else []

    def beat() -> None:
        name = f"{socket.gethostname()}:{os.getpid()}"
        while True:
            try:
                for queue in queues:
                    jobs.worker_alive(name, queue)
            except DatabaseError as error:
                log.warning("cannot note that the worker is alive: %s", error)
                connection.close()
            if _stopping.wait(5):
                return

    threading.Thread(target=beat, name="alive", daemon=True).start()


@worker_shutdown.connect
def _say_stopped(**kwargs) -> None:
    _stopping.set()
