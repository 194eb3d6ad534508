"""The most memory this process has held since a moment, whatever it held before (Linux counts it)."""

from pathlib import Path

_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def begin() -> None:
    """Forget what was held at most until now: the count starts at what is held."""
    _RESET.write_text("5")


def peak_mb() -> float:
    """The most that was held since ``begin``, in MB (of 1,048,576 bytes)."""
    line = next(line for line in _STATUS.read_text().splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024
