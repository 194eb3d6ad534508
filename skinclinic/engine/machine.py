"""The machine, or container, that this process runs on: what it has and what is left of it. Apps register what they
know of it, such as its GPUs."""

import logging
import os
import resource
import shutil
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.conf import settings

log = logging.getLogger(__name__)
GROUPS = Path("/sys/fs/cgroup")
MEMINFO = Path("/proc/meminfo")

# f() -> {what: figure} of this machine; quick, as it is asked every few seconds.
_probes: list[Callable[[], dict[str, Any]]] = []


def probe(function: Callable[[], dict[str, Any]]) -> Callable[[], dict[str, Any]]:
    """Register what is told of a machine besides memory and disk."""
    _probes.append(function)
    return function


def process_name() -> str:
    """HOST:NUMBER of this process."""
    return f"{socket.gethostname()}:{os.getpid()}"


def told() -> dict[str, Any]:
    """Bytes: ``memory`` and ``memory_left`` of the machine or of the container's share, ``memory_own`` at most taken by
    this process, ``disk`` and ``disk_left`` where photos lie; what cannot be known is not there."""
    found: dict[str, Any] = {}
    with suppress(OSError, ValueError, KeyError):
        found["memory"], found["memory_left"] = memory()
    unit = 1 if sys.platform == "darwin" else 1024
    found["memory_own"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    with suppress(OSError):
        disk = shutil.disk_usage(settings.SKINCLINIC_HOME)
        found["disk"], found["disk_left"] = disk.total, disk.free
    for function in _probes:
        try:
            found |= function()
        except Exception as error:  # noqa: BLE001 - each library has failures of its own
            # Such as a GPU that does not answer any more; the worker lives, and says so.
            log.warning("%s could not be told: %r", function.__qualname__, error)
    return found


def memory() -> tuple[int, int]:
    """Bytes in all and left. Raises OSError, ValueError or KeyError where nothing tells."""
    lines = (line.split() for line in MEMINFO.read_text().splitlines())
    known = {words[0].rstrip(":"): int(words[1]) * 1024 for words in lines if len(words) > 1}
    total, left = known["MemTotal"], known["MemAvailable"]
    with suppress(OSError, ValueError):
        limit = int((GROUPS / "memory.max").read_text())
        used = int((GROUPS / "memory.current").read_text())
        if limit < total:
            return limit, max(0, min(left, limit - used))
    return total, left
