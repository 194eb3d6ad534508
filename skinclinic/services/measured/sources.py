"""The figures of this app: jobs, workers, database, broker, disk, memory, webhooks, version.

Of jobs what waits, runs or has failed is counted (an index has these alone); what was done is told by the workers,
each of itself.
"""

import platform
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.db.models import Count
from django.db.models.functions import Coalesce

from skinclinic.engine import clock, jobs, machine, tally
from skinclinic.models import Job, WebhookMessage
from skinclinic.services import ready
from skinclinic.services.measured.figure import Figure, source

# Of a kind, in the order they were asked for in: the longest wait is among them.
_LOOKED_AT = 200


@source
def installation() -> Iterator[Figure]:
    made = Figure("skinclinic_build_info", "The version that runs.", ("version", "python"))
    made.add(1, settings.SPECTACULAR_SETTINGS["VERSION"], platform.python_version())
    yield made


@source
def stores() -> Iterator[Figure]:
    """Whether database and broker answer, and how long that takes; what keeps this node from being ready."""
    up = Figure("skinclinic_up", "Whether what it stands on answers.", ("part",))
    took = Figure("skinclinic_answer_seconds", "Until it did.", ("part",))
    for part, asks in (("database", ready.database_answers), ("broker", ready.broker_answers)):
        began = time.perf_counter()
        answers = asks()
        up.add(answers, part)
        took.add(time.perf_counter() - began, part)
    yield up
    yield took
    standing = Figure("skinclinic_ready", "Whether this node is ready (/readyz).")
    standing.add(not ready.obstacles())
    yield standing


@source
def this_machine() -> Iterator[Figure]:
    yield from _machine({"web": machine.told()}, "node")
    left = Figure("skinclinic_tmp_free_bytes", "Room where files lie while they come in.")
    if (room := _room(Path(tempfile.gettempdir()))) is not None:
        left.add(room)
        yield left


def _room(folder: Path) -> int | None:
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return None


@source
def open_jobs() -> Iterator[Figure]:
    counts = Figure("skinclinic_jobs", "Jobs that are not done: queued, running, failed.", ("kind", "state"))
    states = (Job.State.QUEUED, Job.State.RUNNING, Job.State.FAILED)
    found = Job.objects.filter(state__in=states).values_list("kind", "state")
    waiting = dict.fromkeys(jobs.queues(), 0)
    kinds = set[str]()
    for kind, state, count in found.annotate(n=Count("pk")).order_by("kind", "state"):
        counts.add(count, kind, state)
        if state == Job.State.QUEUED:
            kinds.add(kind)
            waiting[jobs.queue_of(kind)] += count
    yield counts
    depth = Figure("skinclinic_queue_depth", "Jobs that wait for the workers of a queue.", ("queue",))
    for queue, count in waiting.items():
        depth.add(count, queue)
    yield depth
    oldest = Figure(
        "skinclinic_job_oldest_waiting_seconds", "How long the job that waits longest waits.", ("kind",)
    )
    now = clock.now()
    for kind in sorted(kinds):
        queued = Job.objects.filter(kind=kind, state=Job.State.QUEUED).order_by("id")
        since = queued.annotate(since=Coalesce("not_before", "created_at"))
        moments = list(since.values_list("since", flat=True)[:_LOOKED_AT])
        if moments:
            oldest.add(max((now - min(moments)).total_seconds(), 0), kind)
    yield oldest


@source
def workers() -> Iterator[Figure]:
    """Of living workers; what one had told that is silent now is left out, and Prometheus has it."""
    name = ("queue", "worker")
    began = Figure("skinclinic_worker_start_time_seconds", "Since when it runs, in Unix time.", name)
    rests = Figure("skinclinic_worker_resting", "Alive but taking no jobs, and why.", (*name, "trouble"))
    done = Figure("skinclinic_worker_jobs", "Attempts at jobs by how they ended: done, failed, again, lost.",
                  (*name, "kind", "outcome"), is_counter=True)  # fmt: skip
    took = Figure("skinclinic_worker_job_seconds", "Time spent on jobs.", (*name, "kind"), is_counter=True)
    ahead = Figure(
        "skinclinic_worker_clock_ahead_seconds",
        "How far the clock of its machine is ahead of the database's; less than 0: behind.", name,
    )  # fmt: skip
    alive = Figure("skinclinic_workers", "Workers that are alive, of each queue.", ("queue",))
    of_queue, machines = dict.fromkeys(jobs.queues(), 0), dict[str, dict]()
    for seen in jobs.alive().order_by("name"):
        queue, _at, process = seen.name.partition("@")
        of_queue[queue] = of_queue.get(queue, 0) + 1
        if seen.began_at:
            began.add(seen.began_at.timestamp(), queue, process)
        if seen.trouble:
            rests.add(1, queue, process, seen.trouble)
        if (seconds := jobs.clock_ahead(seen)) is not None:
            ahead.add(seconds, queue, process)
        told = seen.told or {}
        machines[process] = told.get("machine", {})
        kinds = jobs.kinds_of(queue)
        for kind, counts in sorted(told.get("jobs", {}).items()):
            # One process may serve several queues, and tells all of them everything it did.
            if kind not in kinds:
                continue
            for outcome in (tally.DONE, tally.FAILED, tally.AGAIN, tally.LOST):
                done.add(counts.get(outcome, 0), queue, process, kind, outcome)
            took.add(counts.get("seconds", 0), queue, process, kind)
    for queue, count in of_queue.items():
        alive.add(count, queue)
    yield from (alive, began, ahead, rests, done, took)
    yield from _machine(machines, "worker")


def _machine(told: dict[str, dict], prefix: str) -> Iterator[Figure]:
    """Memory and disk of machines by the name of the process that told."""
    says = {
        "memory": ("memory_bytes", "Memory of its machine or container."),
        "memory_left": ("memory_available_bytes", "Memory that is left there."),
        "memory_own": ("memory_peak_bytes", "Memory that the process itself has taken at most."),
        "disk": ("disk_bytes", "The disk that photos lie on."),
        "disk_left": ("disk_free_bytes", "Room on it."),
    }
    labels = ("worker",) if prefix == "worker" else ()
    for key, (name, words) in says.items():
        figure = Figure(f"skinclinic_{prefix}_{name}", words, labels)
        for process, found in told.items():
            if key in found:
                figure.add(found[key], *([process] if labels else []))
        yield figure
    if labels:
        gpu = (*labels, "gpu")
        total = Figure("skinclinic_worker_gpu_memory_bytes", "Memory of a GPU.", gpu)
        free = Figure("skinclinic_worker_gpu_memory_free_bytes", "Memory of a GPU that is left.", gpu)
        for process, found in told.items():
            for number, one in enumerate(found.get("gpus", [])):
                total.add(one["memory"], process, number)
                free.add(one["memory_left"], process, number)
        yield from (total, free)


@source
def messages() -> Iterator[Figure]:
    waiting = Figure(
        "skinclinic_webhook_messages_waiting", "Messages to other systems that did not arrive yet."
    )
    waiting.add(WebhookMessage.objects.filter(state=WebhookMessage.State.WAITING).count())
    yield waiting
