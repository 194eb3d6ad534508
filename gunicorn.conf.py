"""Gunicorn reads this wherever it is started in this folder: nobody need know what answers, nor its version. Its
processes count together (docs/monitoring.md), and they go on answering for a moment once they are asked to stop."""

import gc
import os
import shutil
import signal
import sys
import tempfile
import threading
from contextlib import suppress
from pathlib import Path

import gunicorn.http.wsgi

gunicorn.http.wsgi.SERVER = "SkinClinic"

# What all processes of this gunicorn count together, and that it is about to stop: in memory, where there is such a
# folder. Read before prometheus_client is, which asks for it once (``skinclinic.web.counted``, ``draining``).
_SHARED = "PROMETHEUS_MULTIPROC_DIR"
_is_ours = _SHARED not in os.environ
if _is_ours:
    _memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    os.environ[_SHARED] = tempfile.mkdtemp(prefix="skinclinic-web-", dir=_memory)
_DRAIN_SECONDS = float(os.environ.get("WEB_DRAIN_SECONDS") or 0)


def when_ready(server):
    """At SIGTERM say for a while that this node is about to stop (/readyz), and answer whatever comes; then stop. A
    second one stops it at once."""
    stop, mark = server.handle_term, Path(os.environ[_SHARED], "draining")

    def handle_term():
        if mark.exists() or not _DRAIN_SECONDS:
            stop()
        mark.touch()
        server.log.info("draining for %s s", _DRAIN_SECONDS)
        timer = threading.Timer(_DRAIN_SECONDS, server.SIG_QUEUE.put_nowait, [signal.SIGTERM])
        timer.daemon = True
        timer.start()

    server.handle_term = handle_term


def child_exit(server, worker):
    """What a process counted stays; what it was just then busy with does not."""
    with suppress(ImportError, OSError):
        from prometheus_client import multiprocess

        multiprocess.mark_process_dead(worker.pid)


def on_exit(server):
    if _is_ours:
        shutil.rmtree(os.environ[_SHARED], ignore_errors=True)


def post_fork(server, worker) -> None:
    """Nothing of what a process loads is garbage: to look for some takes a fifth of the time until it answers."""
    gc.disable()


def post_worker_init(worker) -> None:
    """What stands now stays: it is not looked through for garbage with every few pages, and what comes, more seldom."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 10, 10)
    gc.enable()
    # A thread that draws a page mostly has drawn it before another one's turn comes. With Python's 5 ms, sixteen people
    # at once took the processors half as long again for each page (docs/page-costs.md).
    sys.setswitchinterval(0.02)
