"""On whose behalf this thread works, without a word of Django: logs are set up before there is any."""

from collections.abc import Mapping
from contextvars import ContextVar
from typing import Protocol


class Work(Protocol):
    def for_logs(self) -> Mapping[str, str]:
        """{request, user, job, by}: ids and keys alone, and only what is known without asking anybody."""


current: ContextVar["Work | None"] = ContextVar("current", default=None)
