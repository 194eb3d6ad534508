"""What Celery's workers run: wake-ups round the jobs service."""

import logging
import threading

from celery import shared_task
from celery.signals import worker_ready, worker_shutdown
from celery.worker import state
from django.db import connection

from skinclinic.engine import deafness, health, jobs, machine

log = logging.getLogger(__name__)
_stopping = threading.Event()
# There is something new to say.
_tell = threading.Event()


@shared_task(name="skinclinic.run_jobs", time_limit=None)
def run_jobs(kind: str) -> None:
    """Run every waiting job of this kind. A worker that is in trouble rests here, so that it takes no other message
    either, and leaves this one to the others."""
    with deafness.ear.at_work():
        _run(kind)


def _run(kind: str) -> None:
    jobs.run_waiting(kind)
    while health.rest_left():
        _tell.set()
        jobs.wake(kind)
        _rest()
        if _stopping.is_set():
            return
        jobs.run_waiting(kind)


def _rest() -> None:
    while (left := health.rest_left()) and not _stopping.wait(min(left, 0.5)):
        # The status it is to end with, once it is asked to stop; 0 is one.
        if any(
            asked is not None and asked is not False for asked in (state.should_stop, state.should_terminate)
        ):
            _stopping.set()


@worker_ready.connect
def _say_alive(sender=None, **kwargs) -> None:
    """Say every five seconds that this worker is alive, also while it computes, and at once when it has to rest."""
    queues = list(sender.app.amqp.queues.consume_from) if sender else []

    def beat() -> None:
        name, has_begun = machine.process_name(), set[str]()
        while True:
            try:
                for queue in queues:
                    jobs.worker_alive(name, queue, begins=queue not in has_begun)
                    has_begun.add(queue)
                if deafness.ear.is_deaf(waits=any(map(jobs.waits, queues))):
                    deafness.begin_anew()
            except Exception as error:  # noqa: BLE001 - a worker that says nothing more counts as dead
                log.warning("cannot note that the worker is alive: %r", error)
                connection.close()
            _tell.wait(5)
            _tell.clear()
            if _stopping.is_set():
                return

    threading.Thread(target=beat, name="alive", daemon=True).start()


@worker_shutdown.connect
def _say_stopped(**kwargs) -> None:
    _stopping.set()
    _tell.set()
