"""What wakes workers: Redis, or on one machine without Redis the broker in a folder that is made here.

``CELERY_BROKER_URL`` chooses (``settings/engine.py``): ``embedded://`` is the default of one machine, so that a
demo, a test or a small practice needs no server; everywhere else it is refused and a Redis address is wanted. The
choice is one of speed and size, never of safety: a job is a row, and whatever a broker loses the reconciler asks for
again.

One file is one message: written under a temporary name and renamed, so that nobody reads half of it, and
claimed by a rename, which succeeds for one worker only. A message lost with a killed worker is no loss:
the job's row is the truth and the reconciler wakes the workers again.
"""

import logging
import time
import uuid
from pathlib import Path
from queue import Empty

from kombu.transport import TRANSPORT_ALIASES, virtual
from kombu.utils.json import dumps, loads

log = logging.getLogger(__name__)


class Channel(virtual.Channel):
    """Direct queues only; bindings live in memory and are declared anew by each process."""

    supports_fanout = False

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.folder = Path(self.connection.client.transport_options["folder"])
        self.folder.mkdir(parents=True, exist_ok=True)

    def _messages(self, queue: str) -> list[Path]:
        return sorted(self.folder.glob(f"*.{queue}.msg"))

    def _put(self, queue: str, message: dict, **kwargs) -> None:
        name = f"{time.time_ns():020d}-{uuid.uuid4().hex}"
        draft = self.folder / f"{name}.draft"
        try:
            draft.write_text(dumps(message))
            draft.rename(self.folder / f"{name}.{queue}.msg")
        except OSError:
            draft.unlink(missing_ok=True)
            raise

    def _get(self, queue: str, timeout: float | None = None) -> dict:
        for path in self._messages(queue):
            taken = path.with_suffix(f".{uuid.uuid4().hex}.taken")
            try:
                path.rename(taken)
            except FileNotFoundError:
                continue
            content = taken.read_bytes()
            taken.unlink()
            if (message := _message_in(content)) is not None:
                return message
        raise Empty

    def _size(self, queue: str) -> int:
        return len(self._messages(queue))

    def _purge(self, queue: str) -> int:
        messages = self._messages(queue)
        for path in messages:
            path.unlink(missing_ok=True)
        return len(messages)


def _message_in(content: bytes) -> dict | None:
    """None for what a power cut has left of one: a file with its name and nothing in it. Nobody misses it, and whoever
    takes messages goes on."""
    try:
        message = loads(content)
    except ValueError:
        message = None
    if not isinstance(message, dict):
        log.warning("a message to workers was lost with the power; the reconciler sends another")
        return None
    return message


class Transport(virtual.Transport):
    """``embedded://`` with the transport options ``folder`` and ``polling_interval`` (seconds)."""

    Channel = Channel
    driver_type = "embedded"
    driver_name = "embedded"
    global_state = virtual.BrokerState()
    default_port = 0  # type: ignore[assignment]  # kombu has None there, as it knows no port

    def driver_version(self) -> str:
        return "1"


TRANSPORT_ALIASES["embedded"] = "skinclinic.engine.broker:Transport"
