"""How many processors this process has. Pure."""

import os
from contextlib import suppress
from pathlib import Path

GROUPS = Path("/sys/fs/cgroup")


def usable() -> int:
    """Of the machine, those that it may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def share() -> float | None:
    """The time that its container may take, in processors, by either version of control groups; None where nothing
    limits it."""
    with suppress(OSError, ValueError):
        quota, period = (GROUPS / "cpu.max").read_text().split()
        return int(quota) / int(period) if quota != "max" else None
    with suppress(OSError, ValueError):
        quota, period = ((GROUPS / f"cpu/cpu.cfs_{name}_us").read_text() for name in ("quota", "period"))
        return int(quota) / int(period) if int(quota) > 0 else None
    return None
