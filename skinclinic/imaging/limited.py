"""Photos from outside are read in processes of their own (``decoder``): few at a time, with limits, replaced when they
die.

A file made to cost much then costs its sender the answer, and nobody else more than a turn.
"""

import atexit
import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from . import decoder
from .refusals import PhotoRejected

# The package without what its parent imports: neither settings nor database nor broker.
_CODE = """
import sys, types
parent = types.ModuleType("skinclinic")
parent.__path__ = [sys.argv[1]]
sys.modules["skinclinic"] = parent
from skinclinic.imaging import decoder
decoder.main(int(sys.argv[2]), int(sys.argv[3]))
"""
_PARENT = Path(__file__).resolve().parents[1]
# One that died for no reason of the photo's (the system was short of memory) is asked again, in another process.
_TRIES = 2
# A photo goes through in a few steps. Most systems give so much; where not, what they have will do.
_PIPE = 1 << 20


class Busy(Exception):
    """All processes are at work and enough wait already. The photo was not looked at; it may come again."""


class TimeOver(Busy):
    """The machine had no time for the photo, which has not used up its own."""


class Broke(RuntimeError):
    """The reading failed in a way that is a fault of ours; the message is its traceback."""


@dataclass(frozen=True)
class Limits:
    """Of one photo: memory, processor seconds, seconds by the clock."""

    megabytes: int
    cpu_seconds: int
    seconds: int


class _Died(Exception):
    def __init__(self, is_of_photo: bool):
        super().__init__()
        self.is_of_photo = is_of_photo


class _Process:
    def __init__(self, limits: Limits):
        self._limits = limits
        environment = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
        self._child = subprocess.Popen(
            [
                *(sys.executable, "-I", "-c", _CODE, str(_PARENT)),
                *(str(limits.megabytes), str(limits.cpu_seconds)),
            ],
            env=environment | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd="/",
        )
        for pipe in (self._child.stdin, self._child.stdout):
            with suppress(OSError, AttributeError):
                fcntl.fcntl(cast(IO[bytes], pipe), fcntl.F_SETPIPE_SZ, _PIPE)

    @property
    def is_alive(self) -> bool:
        return self._child.poll() is None

    @property
    def pid(self) -> int:
        return self._child.pid

    def ask(self, said: decoder.Said, data: bytes) -> decoder.Answer:
        """Raises _Died, TimeOver; the process is gone then."""
        is_late = threading.Event()

        def give_up() -> None:
            is_late.set()
            self._child.kill()

        timer = threading.Timer(self._limits.seconds, give_up)
        timer.daemon = True
        timer.start()
        try:
            with suppress(BrokenPipeError):
                decoder.send(cast(IO[bytes], self._child.stdin), said, [data])
            return decoder.receive(cast(IO[bytes], self._child.stdout))
        except (EOFError, ValueError, KeyError, TypeError):
            ended = self.end()
            if is_late.is_set():
                raise TimeOver from None
            raise _Died(ended == -signal.SIGXCPU) from None
        finally:
            timer.cancel()

    def end(self) -> int:
        """End it; returns how it ended. One that is alive and hears that nobody asks any more ends by itself."""
        with suppress(OSError):
            cast(IO[bytes], self._child.stdin).close()
        try:
            ended = self._child.wait(0.5)
        except subprocess.TimeoutExpired:
            self._child.kill()
            ended = self._child.wait()
        cast(IO[bytes], self._child.stdout).close()
        return ended


@dataclass(eq=False)
class _Turn:
    sender: str
    since: float


class Decoders:
    """At most ``most`` processes, each started when it is first needed and kept warm.

    A sender has all but one of them at most, so that another's photo waits for none of that sender's; ``waiting`` may
    wait, each for ``patience`` seconds, of one sender all but one. Who has the fewest at work comes first.
    """

    def __init__(self, limits: Limits, *, most: int, waiting: int, patience: float):
        self.limits, self.most, self.most_waiting, self.patience = limits, most, waiting, patience
        self._changed = threading.Condition()
        self._idle: list[_Process] = []
        self._running: list[str] = []
        self._waiting: list[_Turn] = []
        atexit.register(self.close)
        os.register_at_fork(after_in_child=self._forget)

    def warm(self, processes: int = 1) -> None:
        """Start some before they are needed; they make themselves ready meanwhile."""
        with self._changed:
            while len(self._idle) < min(processes, self.most):
                self._idle.append(_Process(self.limits))

    def close(self) -> None:
        """End those that have nothing to do."""
        with self._changed:
            idle, self._idle = self._idle, []
        for process in idle:
            process.end()

    def pids(self) -> list[int]:
        """Of those that wait for work."""
        with self._changed:
            return [process.pid for process in self._idle]

    def ask(
        self, work: str, data: bytes, *, sender: str = "", is_patient: bool = False, **options: Any
    ) -> decoder.Answer:
        """What one of them makes of the bytes. Raises PhotoRejected, OSError as the work does, Busy where neither a
        process nor a place to wait is free, unless ``is_patient``."""
        with self._turn(sender, is_patient):
            said, parts = self._asked({"work": work, "options": options}, data)
        if "found" in said:
            return said["found"], parts
        if "refused" in said:
            raise PhotoRejected(said["refused"], **said["params"])
        if "unreadable" in said:
            raise OSError(said["unreadable"])
        if "too_much" in said:
            raise PhotoRejected("too_costly")
        raise Broke(said.get("broke", "no answer"))

    def _asked(self, said: decoder.Said, data: bytes) -> decoder.Answer:
        for _try in range(_TRIES):
            process = self._taken()
            try:
                found = process.ask(said, data)
            except _Died as died:
                if died.is_of_photo:
                    self._put_back(_Process(self.limits))
                    raise PhotoRejected("too_costly") from None
                continue
            except TimeOver:
                self._put_back(_Process(self.limits))
                raise
            if "too_much" in found[0]:
                process.end()
                process = _Process(self.limits)
            self._put_back(process)
            return found
        raise PhotoRejected("too_costly")

    def _put_back(self, process: _Process) -> None:
        """The last one put back is taken first. In place of one that a photo has ended there is a new one, which is its
        sender's next: who sends such photos again and again leaves a warm one for others."""
        with self._changed:
            self._idle.append(process)

    def _taken(self) -> _Process:
        with self._changed:
            while self._idle:
                process = self._idle.pop()
                if process.is_alive:
                    return process
                process.end()
        return _Process(self.limits)

    @contextmanager
    def _turn(self, sender: str, is_patient: bool) -> Iterator[None]:
        turn = _Turn(sender, time.monotonic())
        with self._changed:
            self._waiting.append(turn)
            if not self._is_next(turn) and not is_patient and self._is_full(sender):
                self._waiting.remove(turn)
                raise Busy
            try:
                if not self._changed.wait_for(
                    lambda: self._is_next(turn), None if is_patient else self.patience
                ):
                    raise Busy
                self._running.append(sender)
            finally:
                self._waiting.remove(turn)
                self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._running.remove(sender)
                self._changed.notify_all()

    def expect_place(self, sender: str) -> None:
        """Raise Busy where a photo of this sender would be refused at once, as things stand."""
        turn = _Turn(sender, time.monotonic())
        with self._changed:
            self._waiting.append(turn)
            try:
                if not self._is_next(turn) and self._is_full(sender):
                    raise Busy
            finally:
                self._waiting.remove(turn)

    def _is_full(self, sender: str) -> bool:
        """Whether more wait than may, the new one among them."""
        own = sum(turn.sender == sender for turn in self._waiting)
        return len(self._waiting) > self.most_waiting or own > max(1, self.most_waiting - 1)

    def _is_next(self, turn: _Turn) -> bool:
        return len(self._running) < self.most and turn is self._first()

    def _first(self) -> _Turn | None:
        """Whose turn it is, of those that may have one more."""
        most = max(1, self.most - 1)
        able = [turn for turn in self._waiting if self._running.count(turn.sender) < most]
        return min(able, key=lambda turn: (self._running.count(turn.sender), turn.since), default=None)

    def _forget(self) -> None:
        """In a process that was forked off: those there are belong to the other."""
        self._changed = threading.Condition()
        self._idle, self._running, self._waiting = [], [], []
