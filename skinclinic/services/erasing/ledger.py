"""The list of erasures: a file beside the database, to which lines are only added, so that no restored database brings
back what was erased without a word."""

import fcntl
import json
import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import timezone

from skinclinic.models import Erasure
from skinclinic.services.erasing.trace import Trace

NAME = "erasures.jsonl"


@dataclass(frozen=True)
class Line:
    number: uuid.UUID
    clinic: int
    reason: str
    at: datetime
    counts: dict[str, int]
    trace: Trace

    @classmethod
    def of(cls, erasure: Erasure) -> "Line":
        trace = Trace.of_json(erasure.trace)
        return cls(erasure.number, erasure.clinic_id, erasure.reason, erasure.at, erasure.counts, trace)

    @classmethod
    def of_json(cls, content: dict[str, Any]) -> "Line":
        return cls(
            uuid.UUID(content["number"]), int(content["clinic"]), content["reason"],
            datetime.fromisoformat(content["at"]), content["counts"], Trace.of_json(content["trace"]),
        )  # fmt: skip

    def to_json(self) -> dict[str, Any]:
        return {
            "number": str(self.number), "clinic": self.clinic, "reason": self.reason, "at": self.at.isoformat(),
            "counts": self.counts, "trace": self.trace.to_json(), "noted": timezone.now().isoformat(),
        }  # fmt: skip


def path() -> Path:
    return settings.SKINCLINIC_HOME / NAME


def note(erasure: Erasure) -> None:
    """Add it, unless it stands there with all its trace. Raises OSError."""
    _note(Line.of(erasure))


def take_over(text: str) -> int:
    """Add the lines of another list, such as one that was kept elsewhere; how many it has. Raises OSError."""
    lines = list(_lines_of(text))
    for line in lines:
        _note(line)
    return len(lines)


def _note(line: Line) -> None:
    stands = {known.number: known for known in read()}.get(line.number)
    if stands and (stands.trace | line.trace).to_json() == stands.trace.to_json():
        return
    text = json.dumps(line.to_json(), ensure_ascii=False, sort_keys=True) + "\n"
    path().parent.mkdir(parents=True, exist_ok=True)
    with path().open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        # What a power cut has left of a line must not take this one along.
        whole = "" if _ends_whole() else "\n"
        file.write(f"{whole}{text}".encode())
        file.flush()
        os.fsync(file.fileno())


def read() -> list[Line]:
    """Each erasure once, in the order in which they were made; of one that was noted again all of its trace."""
    found: dict[uuid.UUID, Line] = {}
    for line in _lines():
        before = found.get(line.number)
        trace = before.trace | line.trace if before else line.trace
        found[line.number] = Line(line.number, line.clinic, line.reason, line.at, line.counts, trace)
    return list(found.values())


def behind() -> int:
    """How many erasures of the list the database does not know: it was restored from before them. Quick: it is asked
    for by every page's head and by load balancers."""
    try:
        found = path().stat()
    except OSError:
        return 0
    numbers = _numbers(path(), found.st_size, found.st_mtime_ns)
    return len(numbers) - Erasure.objects.filter(number__in=numbers).count() if numbers else 0


@lru_cache(maxsize=4)
def _numbers(_path: Path, _size: int, _changed: int) -> frozenset[uuid.UUID]:
    return frozenset(line.number for line in _lines())


def _lines() -> Iterator[Line]:
    try:
        text = path().read_text(encoding="utf-8")
    except FileNotFoundError:
        return
    yield from _lines_of(text)


def _lines_of(text: str) -> Iterator[Line]:
    for line in text.splitlines():
        try:
            yield Line.of_json(json.loads(line))
        except (ValueError, KeyError, TypeError):
            # Half a line, left by a power cut; the job that wrote it writes it again.
            continue


def _ends_whole() -> bool:
    try:
        with path().open("rb") as file:
            file.seek(-1, os.SEEK_END)
            return file.read(1) == b"\n"
    except OSError:
        return True
