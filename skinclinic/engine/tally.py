"""What this process has done of each kind of job since it began. Told with its heartbeats, so that whoever asks the
database hears of every worker, wherever it runs. Pure."""

from threading import Lock

# How an attempt ended: done, failed for good, to be tried again, or taken over by somebody else.
DONE, FAILED, AGAIN, LOST = "done", "failed", "again", "lost"
Tallies = dict[str, dict[str, float]]

_of: Tallies = {}
_lock = Lock()


def note(kind: str, outcome: str, seconds: float) -> None:
    """One attempt at a job ended, after so long (of several worked on together: its share)."""
    with _lock:
        found = _of.setdefault(kind, dict.fromkeys((DONE, FAILED, AGAIN, LOST, "seconds"), 0))
        found[outcome] += 1
        found["seconds"] = round(found["seconds"] + seconds, 3)


def told() -> Tallies:
    """{kind: {outcome: how many, "seconds": in all}}."""
    with _lock:
        return {kind: dict(found) for kind, found in _of.items()}


def reset() -> None:
    """Nothing done, as a process that has just begun."""
    with _lock:
        _of.clear()
